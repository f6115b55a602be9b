//! Viewers that keep their connections and ask again and again, while something happens to the proxy.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use super::http::{Request, Wire};

/// Viewers at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    viewers: Vec<thread::JoinHandle<Vec<String>>>,
}

impl Load {
    /// So many viewers with a connection each. What they are answered must be a 200 with that text in it.
    pub(crate) fn start(viewers: usize, address: SocketAddr, host: &str, request: &Request, text: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let viewer = |_| {
            let bytes = request.bytes(host);
            let text = text.to_owned();
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            thread::spawn(move || view(address, &bytes, &text, &stop, &answered))
        };
        Self {
            viewers: (0..viewers).map(viewer).collect(),
            stop,
            answered,
        }
    }

    /// Waits until so many more requests have been answered.
    pub(crate) fn wait_for(&self, more: usize) {
        let goal = self.answered.load(Ordering::Relaxed) + more;
        while self.answered.load(Ordering::Relaxed) < goal && self.viewers.iter().any(|viewer| !viewer.is_finished()) {
            thread::yield_now();
        }
    }

    /// How many requests were answered, and what went wrong with the others.
    pub(crate) fn stop(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self.viewers.into_iter().flat_map(|viewer| viewer.join().unwrap());
        let failures = failures.collect();
        (self.answered.load(Ordering::Relaxed), failures)
    }
}

/// A viewer that is told that its connection ends takes another one; whatever else happens is a failure.
fn view(address: SocketAddr, request: &[u8], text: &str, stop: &AtomicBool, answered: &AtomicUsize) -> Vec<String> {
    let mut failures = Vec::new();
    let mut wire = Wire::connect(address);
    while !stop.load(Ordering::Relaxed) && failures.len() < 10 {
        wire.write(request);
        let Some(response) = wire.response("GET") else {
            failures.push("closed without an answer".to_owned());
            wire = Wire::connect(address);
            continue;
        };
        if response.status != 200 || !response.text().contains(text) {
            failures.push(format!("{response:?}"));
        }
        answered.fetch_add(1, Ordering::Relaxed);
        if response
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
        {
            wire = Wire::connect(address);
        }
    }
    failures
}
