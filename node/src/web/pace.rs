//! How slowly somebody may send a body, or take an answer.
//!
//! Time runs against a client only while the node waits for it. It begins with some patience, and
//! each byte gives a little back, as much as it may take at the lowest rate; when nothing is left,
//! the body or the connection ends. So a slow line passes, with its pauses, and whoever sends or
//! reads nothing, or a byte now and then, does not hold a place for long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::app::App;
use crate::config::Limits;

/// How long one client is still waited for.
#[derive(Debug, Clone, Copy)]
struct Patience {
    left: Duration,
    most: Duration,
    bytes_per_second: u32,
}

impl Patience {
    fn new(limits: &Limits) -> Patience {
        let most = Duration::from_secs(limits.patience_seconds);
        Patience {
            left: most,
            most,
            bytes_per_second: limits.bytes_per_second.max(1),
        }
    }

    fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }

    fn earn(&mut self, bytes: usize) {
        let micros = (bytes as u64).saturating_mul(1_000_000) / u64::from(self.bytes_per_second);
        self.left = (self.left + Duration::from_micros(micros)).min(self.most);
    }
}

/// The pace of one client in one direction.
#[derive(Debug)]
struct Pace {
    patience: Patience,
    /// Since when it is waited for, and until when.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Pace {
    fn new(limits: &Limits) -> Pace {
        Pace {
            patience: Patience::new(limits),
            waiting: None,
        }
    }

    /// So many bytes went through.
    fn moved(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.patience.spend(since.elapsed());
        }
        self.patience.earn(bytes);
    }

    /// Nothing goes through now. Ready when nothing is left of the patience.
    fn waits(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let left = self.patience.left;
        let begin = || (Instant::now(), Box::pin(sleep(left)));
        let (_, end) = self.waiting.get_or_insert_with(begin);
        end.as_mut().poll(context)
    }
}

/// A connection whose other end must take what is sent to it.
#[derive(Debug)]
pub struct PacedStream<S> {
    stream: S,
    pace: Pace,
}

impl<S> PacedStream<S> {
    /// A connection under these limits.
    pub fn new(stream: S, limits: &Limits) -> PacedStream<S> {
        PacedStream {
            stream,
            pace: Pace::new(limits),
        }
    }

    fn judge(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(written) => {
                self.pace.moved(written.as_ref().copied().unwrap_or(0));
                Poll::Ready(written)
            }
            Poll::Pending => {
                ready!(self.pace.waits(context));
                let slow = io::Error::new(io::ErrorKind::TimedOut, "the answer is not taken");
                Poll::Ready(Err(slow))
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.judge(context, written)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A body that must come.
struct PacedBody {
    body: Body,
    pace: Pace,
    was_slow: Arc<AtomicBool>,
}

impl hyper::body::Body for PacedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                let data = frame.as_ref().and_then(|f| f.as_ref().ok()?.data_ref());
                let bytes = data.map_or(0, Bytes::len);
                self.pace.moved(bytes);
                Poll::Ready(frame)
            }
            Poll::Pending => {
                ready!(self.pace.waits(context));
                self.was_slow.store(true, Ordering::Relaxed);
                let slow = io::Error::new(io::ErrorKind::TimedOut, "the body does not come");
                Poll::Ready(Some(Err(axum::Error::new(slow))))
            }
        }
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Ends a request whose body comes too slowly, with the answer of one that takes too long.
pub async fn bodies(State(app): State<App>, request: Request, next: Next) -> Response {
    let was_slow = Arc::new(AtomicBool::new(false));
    let pace = Pace::new(&app.service.config.limits);
    let request = request.map(|body| {
        Body::new(PacedBody {
            body,
            pace,
            was_slow: was_slow.clone(),
        })
    });
    let response = next.run(request).await;
    if was_slow.load(Ordering::Relaxed) {
        return StatusCode::REQUEST_TIMEOUT.into_response();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_for_the_slow_and_not_for_a_slow_line() {
        let limits = Limits {
            patience_seconds: 10,
            bytes_per_second: 1000,
            ..Limits::default()
        };
        let second = Duration::from_secs(1);
        // At the lowest rate it never ends, pauses of the line included.
        let mut line = Patience::new(&limits);
        for n in 0..1000 {
            line.spend(if n % 5 == 4 {
                5 * second
            } else {
                Duration::ZERO
            });
            line.earn(1000);
            assert!(!line.left.is_zero());
        }
        // A byte a second does not help, and what was given before is no account to live on.
        let mut slow = Patience::new(&limits);
        slow.earn(1_000_000);
        for n in 0..20 {
            slow.spend(second);
            slow.earn(1);
            assert_eq!(slow.left < second, n >= 9, "{n}: {:?}", slow.left);
        }
    }
}
