//! A small SMTP server for loopback: it takes one message after another, hands each to its
//! owner, and says what the owner says. No TLS, no login: nothing but our own tests speak to it.

use std::sync::Arc;

use hogwire_model::Outcome;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Takes (envelope sender, recipient, bytes) and answers as a mail server would.
pub trait Postman: Send + Sync + 'static {
    fn take(&self, from: &str, to: &str, bytes: &[u8]) -> Outcome;
}

/// A message may be no longer than this.
const MOST_BYTES: usize = 8 << 20;

/// Serves until the listener fails or the task is dropped.
pub async fn serve(listener: TcpListener, postman: Arc<dyn Postman>) {
    while let Ok((stream, _)) = listener.accept().await {
        let postman = postman.clone();
        tokio::spawn(async move {
            // A client that hangs up in the middle has said all it wanted to.
            let _ = talk(stream, &*postman).await;
        });
    }
}

async fn talk(stream: TcpStream, postman: &dyn Postman) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    write.write_all(b"220 sink.test ESMTP\r\n").await?;
    let (mut from, mut to) = (String::new(), Vec::new());
    let mut line = String::new();
    loop {
        line.clear();
        if read.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let word = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let answer = match word.as_str() {
            "EHLO" => "250-sink.test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n".to_owned(),
            "HELO" | "NOOP" => "250 ok\r\n".to_owned(),
            "RSET" => {
                to.clear();
                "250 ok\r\n".to_owned()
            }
            "MAIL" => {
                from = path(&line);
                to.clear();
                "250 ok\r\n".to_owned()
            }
            "RCPT" => {
                to.push(path(&line));
                "250 ok\r\n".to_owned()
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let bytes = body(&mut read).await?;
                let answers: Vec<Outcome> = to.iter().map(|to| postman.take(&from, to, &bytes)).collect();
                format!("{}\r\n", said(answers.first()))
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "502 not known here\r\n".to_owned(),
        };
        write.write_all(answer.as_bytes()).await?;
    }
}

fn said(outcome: Option<&Outcome>) -> &str {
    match outcome {
        Some(
            Outcome::Done(text)
            | Outcome::Retry(text)
            | Outcome::Refused(text)
            | Outcome::Unauthorized(text)
            | Outcome::Snooze(_, text),
        ) => text,
        Some(Outcome::Unknown(_)) | None => "451 4.3.0 nobody knows",
    }
}

/// The address between the angle brackets of MAIL and RCPT.
fn path(line: &str) -> String {
    line.split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or_else(String::new, |(path, _)| path.to_owned())
}

/// Reads up to the line with a single dot, and takes the doubled dots back.
async fn body(read: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut *read).take((MOST_BYTES - bytes.len()) as u64);
        if limited.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(bytes);
        }
        bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
