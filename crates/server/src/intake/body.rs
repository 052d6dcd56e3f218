//! Reading a body within limits, and unpacking it without trusting what it claims.
//!
//! The limit holds for what comes out: a packed body is unpacked as a stream that stops one
//! byte past the limit. Trailing bytes and a stream that ends early are errors.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use super::TurnedAway;
use crate::api::problem::Problem;

/// One event, unpacked.
pub const SINGLE: usize = 4 << 20;
/// A batch, unpacked.
pub const BATCH: usize = 20 << 20;
/// Larger packed bodies are unpacked on a thread that may block.
const INLINE: usize = 32 << 10;
/// A sender that needs longer for its body is cut off.
const PATIENCE: Duration = Duration::from_secs(30);
/// What of a body is kept when it is refused.
pub const EXCERPT: usize = 2_048;

/// Reads and unpacks a body of at most `most` bytes.
pub async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, TurnedAway> {
    if let Some(length) = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok())
        && most < length
    {
        return Err(TurnedAway { problem: too_large(most), excerpt: beginning(body).await });
    }
    let collected = collect(body, most).await?;
    let packing = match packing(headers)? {
        None => return Ok(collected),
        Some(packing) => packing,
    };
    let excerpt = collected.slice(..collected.len().min(EXCERPT));
    let unpacked = if collected.len() <= INLINE {
        unpack(packing, &collected, most)
    } else {
        let work = tokio::task::spawn_blocking(move || unpack(packing, &collected, most));
        work.await.unwrap_or_else(|_| Err(Unpacking::Broken("the unpacking failed".to_owned())))
    };
    unpacked.map(Bytes::from).map_err(|why| TurnedAway { problem: why.problem(most), excerpt })
}

/// The first bytes of a body that is refused whatever it says.
pub async fn beginning(mut body: Body) -> Bytes {
    let first = timeout(Duration::from_millis(500), body.frame()).await;
    match first {
        Ok(Some(Ok(frame))) => {
            frame.into_data().map(|bytes| bytes.slice(..bytes.len().min(EXCERPT))).unwrap_or_default()
        }
        _ => Bytes::new(),
    }
}

async fn collect(body: Body, most: usize) -> Result<Bytes, TurnedAway> {
    match timeout(PATIENCE, axum::body::to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let error = error.into_inner();
            if error.downcast_ref::<http_body_util::LengthLimitError>().is_some() {
                return Err(too_large(most).into());
            }
            let remedy = "Send the body again, whole.";
            Err(Problem::bad_request("unreadable_body", "The body could not be read to its end.", remedy).into())
        }
        Err(_) => {
            let remedy = "Send the body faster, or in smaller parts.";
            Err(Problem::bad_request("body_too_slow", "The body did not come in time.", remedy).into())
        }
    }
}

pub fn too_large(most: usize) -> Problem {
    let detail = format!("The body is larger than {} MiB.", most >> 20);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail, "Send fewer or smaller events in one request.")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Gzip,
    Brotli,
    Zstd,
}

fn packing(headers: &HeaderMap) -> Result<Option<Packing>, Problem> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(None) };
    let value = value.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    match value.as_str() {
        "" | "identity" => Ok(None),
        "gzip" | "x-gzip" => Ok(Some(Packing::Gzip)),
        "br" => Ok(Some(Packing::Brotli)),
        "zstd" => Ok(Some(Packing::Zstd)),
        other => {
            let detail = format!("The content encoding `{}` is not known.", other.chars().take(40).collect::<String>());
            Err(Problem::bad_request("unknown_encoding", detail, "Use gzip, br, zstd, or none."))
        }
    }
}

enum Unpacking {
    TooLarge,
    Broken(String),
}

impl Unpacking {
    fn problem(self, most: usize) -> Problem {
        match self {
            Self::TooLarge => too_large(most),
            Self::Broken(why) => {
                let detail = format!("The body is not what its content encoding says: {why}.");
                Problem::bad_request("broken_encoding", detail, "Pack the body again, or send it unpacked.")
            }
        }
    }
}

fn unpack(packing: Packing, packed: &[u8], most: usize) -> Result<Vec<u8>, Unpacking> {
    match packing {
        Packing::Gzip => drain(flate2::read::MultiGzDecoder::new(packed), packed.len(), most),
        Packing::Brotli => drain(brotli_decompressor::Decompressor::new(packed, 4_096), packed.len(), most),
        Packing::Zstd => {
            let broken = |error: std::io::Error| Unpacking::Broken(error.to_string());
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(broken)?;
            // RFC 9659 §3: what is sent over HTTP needs no larger window than 8 MiB.
            decoder.window_log_max(23).map_err(broken)?;
            drain(decoder, packed.len(), most)
        }
    }
}

fn drain(reader: impl Read, packed: usize, most: usize) -> Result<Vec<u8>, Unpacking> {
    let mut out = Vec::with_capacity(packed.saturating_mul(3).min(most));
    let read = reader.take(most as u64 + 1).read_to_end(&mut out);
    match read {
        Ok(_) if out.len() > most => Err(Unpacking::TooLarge),
        Ok(_) => Ok(out),
        Err(error) => Err(Unpacking::Broken(error.to_string())),
    }
}
