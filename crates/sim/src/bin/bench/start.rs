//! P9: how long a start takes, what an idle server holds, how large the program is.

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::child::{Served, binary, folder};
use crate::figure::{Figure, Target, median};

const ROUNDS: usize = 7;
const MEGABYTE: f64 = 1_048_576.0;

pub fn cold() -> Outcome {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let folder = folder(9)?;
    let (mut starts, mut memories) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        // The first start makes the database and a first password.
        drop(Served::hogwire(folder.path(), &[])?.ready().await?);
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let served = Served::hogwire(folder.path(), &[])?.ready().await?;
            starts.push(began.elapsed().as_secs_f64() * 1_000.0);
            tokio::time::sleep(Duration::from_millis(700)).await;
            memories.push(served.memory() / MEGABYTE);
        }
        Ok::<(), String>(())
    })?;
    let size = std::fs::metadata(binary()?).map_err(|error| error.to_string())?.len() as f64 / MEGABYTE;
    let at_most = Target::AtMost(1.0);
    let note = |text: &str| text.to_owned();
    Ok(vec![
        Figure { name: "P9 start", a: median(&mut starts), b: 150.0, unit: "ms", target: at_most, note: String::new() },
        Figure {
            name: "P9 memory",
            a: median(&mut memories),
            b: 40.0,
            unit: "MB",
            target: at_most,
            note: note("resident, idle"),
        },
        Figure {
            name: "P9 size",
            a: size,
            b: 48.0,
            unit: "MB",
            target: at_most,
            note: note("the `release` profile with its symbols; `dist` is smaller"),
        },
    ])
}
