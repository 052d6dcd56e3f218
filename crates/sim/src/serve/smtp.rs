//! A mail server on loopback that takes everything and hands it over: the last stop of the
//! demonstration's mails, and the sink of crash tests and benchmarks.

use std::io::Result;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Takes one mail: sender, recipient, bytes. Answers with the reply's text.
pub type Take = dyn Fn(&str, &str, &[u8]) -> String + Send + Sync;

/// A mail is no longer than this.
const MOST: usize = 32 << 20;

/// Serves until the runtime ends.
pub async fn serve(listener: TcpListener, take: Arc<Take>) {
    while let Ok((stream, _)) = listener.accept().await {
        let take = take.clone();
        tokio::spawn(async move { converse(stream, &*take).await });
    }
}

async fn converse(stream: TcpStream, take: &Take) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mailbox ESMTP\r\n").await?;
    let (mut from, mut to) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or("").to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => "250-mailbox\r\n250-8BITMIME\r\n250 SMTPUTF8".to_owned(),
            "MAIL" => {
                from = address(&line);
                "250 2.1.0 ok".to_owned()
            }
            "RCPT" => {
                to = address(&line);
                "250 2.1.5 ok".to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let Some(mail) = text(&mut stream).await? else { return Ok(()) };
                take(&from, &to, &mail)
            }
            "QUIT" => {
                stream.write_all(b"221 2.0.0 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 2.0.0 ok".to_owned(),
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
}

/// Up to the dot that stands alone; nothing where the other side went away before.
async fn text(stream: &mut BufReader<TcpStream>) -> Result<Option<Vec<u8>>> {
    let mut mail = Vec::new();
    loop {
        let begin = mail.len();
        if stream.read_until(b'\n', &mut mail).await? == 0 || mail.len() > MOST {
            return Ok(None);
        }
        match &mail[begin..] {
            b".\r\n" => {
                mail.truncate(begin);
                return Ok(Some(mail));
            }
            [b'.', ..] => drop(mail.remove(begin)),
            _ => {}
        }
    }
}

fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(address, _)| address.to_owned())
}
