//! A client of the gateway that is light: a socket for each connection, and no more HTTP than these
//! requests need.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::CONNECTIONS;
use super::data::{Asked, RECEIPTS};
use super::drive::{Figures, drive};
use crate::dice::Dice;
use crate::gateway::Client;

/// One keep-alive connection.
pub struct Wire {
    stream: BufReader<TcpStream>,
    head: String,
    dice: Dice,
    customer: String,
    etag: String,
    body: Vec<u8>,
}

pub fn measure(client: &Client, asked: Asked, time: Duration) -> Result<Figures> {
    drive(time, |number| {
        let mut wire = Wire::open(client, number)?;
        Ok(move || wire.ask(asked))
    })
}

/// So many requests, over all connections.
pub fn send(client: &Client, asked: Asked, requests: u64) -> Result<()> {
    let left = AtomicU64::new(requests);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let left = &left;
                scope.spawn(move || -> Result<()> {
                    let mut wire = Wire::open(client, number)?;
                    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                        wire.ask(asked)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a connection panicked")))
    })
}

/// So many look-ups a second over one connection, until told to stop. Answers how many there were.
pub fn pace(client: &Client, number: usize, per_s: u32, stop: &std::sync::atomic::AtomicBool) -> Result<u64> {
    let (mut wire, began, mut sent) = (Wire::open(client, number)?, Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        let due = Duration::from_secs(1) * u32::try_from(sent)? / per_s;
        if let Some(pause) = due.checked_sub(began.elapsed()) {
            std::thread::sleep(pause);
        }
        wire.ask(Asked::Scan)?;
        sent += 1;
    }
    Ok(sent)
}

impl Wire {
    pub fn open(client: &Client, number: usize) -> Result<Self> {
        let stream = TcpStream::connect(client.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let (_, token) = client.headers.first().context("nobody has logged in")?;
        let head = format!("HTTP/1.1\r\nHost: bench\r\nAuthorization: {token}\r\n");
        let customer = format!("/v1/customers/00000000-0000-7000-8000-{number:012}");
        let dice = Dice::new(number as u64 + 1);
        let mut wire =
            Self { stream: BufReader::new(stream), head, dice, customer, etag: String::new(), body: Vec::new() };
        let customer = wire.customer.clone();
        wire.request("GET", &customer, "")?;
        Ok(wire)
    }

    /// One request and its answer.
    pub fn ask(&mut self, asked: Asked) -> Result<()> {
        match asked {
            Asked::Scan => {
                let (a, b) = (self.dice.below(10), self.dice.below(10));
                let path = format!("/v1/scan/80{a}0{}0{b}0{}0004", 9 - a, 9 - b);
                self.request("GET", &path, "")
            }
            Asked::Receipt => {
                let path =
                    format!("/v1/receipts/1/0197a2b0-0000-7000-8000-{:012x}", 1 + self.dice.below(RECEIPTS.into()));
                self.request("GET", &path, "")
            }
            Asked::Change => {
                let (path, body) = (self.customer.clone(), format!("{{\"city\":\"C{}\"}}", self.dice.below(1_000_000)));
                self.request("PATCH", &path, &body)
            }
        }
    }

    fn request(&mut self, method: &str, path: &str, body: &str) -> Result<()> {
        let mut text = format!("{method} {path} {}", self.head);
        if !body.is_empty() {
            text += &format!(
                "If-Match: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
                self.etag,
                body.len()
            );
        }
        text += "\r\n";
        text += body;
        self.stream.get_mut().write_all(text.as_bytes())?;
        let (mut line, mut length, mut status) = (String::new(), 0, 0_u16);
        loop {
            line.clear();
            ensure!(self.stream.read_line(&mut line)? > 0, "the gateway closed a connection");
            let line = line.trim_end();
            if status == 0 {
                status = line.split(' ').nth(1).context("no status")?.parse()?;
            } else if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(": ") {
                match name {
                    "content-length" => length = value.parse()?,
                    "etag" => value.clone_into(&mut self.etag),
                    _ => {}
                }
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        ensure!(status == 200, "{method} {path}: {status} {}", String::from_utf8_lossy(&self.body));
        Ok(())
    }
}
