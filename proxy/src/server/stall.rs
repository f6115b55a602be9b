//! A viewer that does not take what it has asked for (T-DOS-2).
//!
//! Pingora limits the time of writing a body. A header, what waits for a flush, and a TLS record that says goodbye are
//! waited for without an end, and a viewer that asks and asks without reading makes small answers wait there.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

/// How long writing may stand still. It costs nothing as long as writing does not.
#[derive(Debug, Default)]
pub(super) struct Stall {
    /// `None`: for ever.
    limit: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    is_stalled: bool,
}

impl Stall {
    /// From now on.
    pub(super) fn limit(&mut self, limit: Duration) {
        *self = Self {
            limit: Some(limit),
            ..Self::default()
        };
    }

    /// What is to be said of an attempt to write, which is an error once that has stood still for too long.
    pub(super) fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let (Poll::Pending, Some(limit)) = (&written, self.limit) else {
            self.is_stalled = false;
            return written;
        };
        let timer = match &mut self.timer {
            Some(timer) => {
                if !self.is_stalled {
                    timer.as_mut().reset(Instant::now() + limit);
                }
                timer
            }
            none => none.insert(Box::pin(sleep(limit))),
        };
        self.is_stalled = true;
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    async fn wait(stall: &mut Stall) -> (io::ErrorKind, Duration) {
        let started = Instant::now();
        let end = poll_fn(|cx| stall.judge::<()>(cx, Poll::Pending)).await;
        (end.unwrap_err().kind(), started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn writing_that_stands_still_for_too_long_has_failed() {
        let mut stall = Stall::default();
        stall.limit(LIMIT);
        assert_eq!(wait(&mut stall).await, (io::ErrorKind::TimedOut, LIMIT));
        // And goes on to.
        assert_eq!(wait(&mut stall).await, (io::ErrorKind::TimedOut, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn writing_that_goes_on_has_its_time_anew() {
        let mut stall = Stall::default();
        stall.limit(LIMIT);
        for _ in 0..3 {
            let mut polls = tokio_test::task::spawn(poll_fn(|cx| stall.judge::<()>(cx, Poll::Pending)));
            assert!(polls.poll().is_pending());
            tokio::time::advance(LIMIT / 2).await;
            assert!(polls.poll().is_pending());
            drop(polls);
            let written = poll_fn(|cx| stall.judge(cx, Poll::Ready(Ok(1)))).await;
            assert_eq!(written.unwrap(), 1);
        }
        assert_eq!(wait(&mut stall).await, (io::ErrorKind::TimedOut, LIMIT));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_is_waited_for() {
        let mut stall = Stall::default();
        let mut polls = tokio_test::task::spawn(poll_fn(|cx| stall.judge::<()>(cx, Poll::Pending)));
        assert!(polls.poll().is_pending());
        tokio::time::advance(1000 * LIMIT).await;
        assert!(polls.poll().is_pending());
    }
}
