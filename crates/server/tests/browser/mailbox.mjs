// A mail server for tests: takes every mail on loopback and keeps it. Addresses that begin
// with `drop` break the connection after the last byte and before the answer, so that
// nobody knows whether the mail went out.
import { createServer } from "node:net";

export function openMailbox() {
  const mails = [];
  const server = createServer((socket) => {
    let input = "";
    let body = null;
    let to = [];
    socket.on("error", () => {});
    const say = (line) => socket.write(`${line}\r\n`);
    const command = (line) => {
      const word = line.slice(0, 4).toUpperCase();
      if (word === "EHLO" || word === "HELO") say("250 mailbox");
      else if (word === "MAIL") say("250 ok");
      else if (word === "RCPT") {
        to.push(line.slice(line.indexOf("<") + 1, line.indexOf(">")));
        say("250 ok");
      } else if (word === "DATA") {
        body = "";
        say("354 go on");
      } else if (word === "RSET") {
        to = [];
        say("250 ok");
      } else if (word === "QUIT") {
        say("221 bye");
        socket.end();
      } else say("250 ok");
    };
    const line = (text) => {
      if (body === null) return command(text);
      if (text !== ".") {
        body += `${text.startsWith("..") ? text.slice(1) : text}\n`;
        return;
      }
      const dropped = to.some((address) => address.startsWith("drop"));
      mails.push({ to, body });
      body = null;
      to = [];
      if (dropped) socket.destroy();
      else say("250 kept");
    };
    socket.on("data", (bytes) => {
      input += bytes.toString("latin1");
      for (let end = input.indexOf("\r\n"); end >= 0; end = input.indexOf("\r\n")) {
        const text = input.slice(0, end);
        input = input.slice(end + 2);
        line(text);
      }
    });
    say("220 mailbox");
  });
  return new Promise((ready) => {
    server.listen(0, "127.0.0.1", () => {
      ready({ port: server.address().port, mails, close: () => server.close() });
    });
  });
}
