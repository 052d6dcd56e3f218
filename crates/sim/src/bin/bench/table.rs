//! The table of results in `BENCH.md`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::figure::{Figure, short};

const BEGIN: &str = "<!-- results -->";
const END: &str = "<!-- end of results -->";

pub fn write(figures: &[Figure]) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../BENCH.md");
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let (before, rest) = text.split_once(BEGIN).ok_or("the place for the results is not marked")?;
    let (_, after) = rest.split_once(END).ok_or("the end of the results is not marked")?;
    let table = table(figures);
    fs::write(&path, format!("{before}{BEGIN}\n{table}{END}{after}")).map_err(|error| error.to_string())
}

fn table(figures: &[Figure]) -> String {
    let mut text = format!(
        "Measured on {} at commit {}, on {}.\n\n| id | ratio | target | ours | yardstick | unit | verdict | seen beside it |\n|---|---|---|---|---|---|---|---|\n",
        said("date", &["-u", "+%Y-%m-%d"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
        processor()
    );
    for figure in figures {
        text.push_str(&format!(
            "| {} | {:.3} | {} | {} | {} | {} | {} | {} |\n",
            figure.name,
            figure.ratio(),
            figure.target,
            short(figure.a),
            short(figure.b),
            figure.unit,
            figure.verdict(),
            figure.note
        ));
    }
    text
}

fn said(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let names: Vec<&str> = known
        .lines()
        .filter_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim()))
        .collect();
    format!("{} ({} cores)", names.first().unwrap_or(&"an unnamed processor"), names.len())
}
