//! A connection that ends by itself: when no request begins for long, and when the head of one does
//! not become complete. hyper has one time for both, and a client may well be idle for longer than
//! it may take over a head.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Whether a request is being answered: then the connection may be as silent as it likes. The body
/// has a time of its own.
///
/// Even while nothing is being answered; the number grows when a request comes and when it leaves.
#[derive(Clone, Default)]
pub struct Busy(Arc<AtomicU64>);

impl Busy {
    pub fn step(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A stream that fails to read once the head of a request takes longer than it may.
pub struct Patient<S> {
    stream: S,
    busy: Busy,
    /// The last number of it that was seen.
    seen: u64,
    header_timeout: Duration,
    /// Running since the first byte of a head.
    head: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    write: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub fn new(stream: S, busy: Busy, header_timeout: Duration, write_timeout: Duration) -> Self {
        Self { stream, busy, seen: 0, header_timeout, head: None, write_timeout, write: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let now = self.busy.get();
        if now != self.seen {
            // The head became complete.
            self.seen = now;
            self.head = None;
        }
        if let Some(head) = &mut self.head
            && head.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().len() > before;
        if came && now.is_multiple_of(2) && self.head.is_none() {
            self.head = Some(Box::pin(tokio::time::sleep_until(Instant::now() + self.header_timeout)));
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> Patient<S> {
    /// A client that does not read its answer is given up.
    fn in_time<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write = None;
            return result;
        }
        let timeout = self.write_timeout;
        let write = self.write.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        write.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.in_time(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.in_time(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
