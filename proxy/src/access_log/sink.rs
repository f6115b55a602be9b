//! Where lines go: written by a thread of their own, so that no request waits for a disk.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread,
};

use prometheus::IntCounter;

/// Lines that may wait; beyond that they are lost, and counted.
const WAITING: usize = 16 * 1024;

/// A file or standard output. The thread ends with the last sender.
#[derive(Debug)]
pub(super) struct Sink {
    orders: SyncSender<Order>,
    lost: IntCounter,
}

enum Order {
    Line(String),
    Reopen,
}

impl Sink {
    /// Opens the file, or standard output; `head` is written first into an empty file.
    pub(super) fn open(file: Option<&Path>, head: &'static str, lost: IntCounter) -> io::Result<Self> {
        let target = Target::open(file, head)?;
        let (orders, received) = sync_channel(WAITING);
        thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write(target, &received))?;
        Ok(Self { orders, lost })
    }

    pub(super) fn line(&self, line: String) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.orders.try_send(Order::Line(line)) {
            self.lost.inc();
        }
    }

    /// The file may have been moved away: another one is begun under its name.
    pub(super) fn reopen(&self) {
        // A queue that is full has worse troubles.
        let _ = self.orders.try_send(Order::Reopen);
    }
}

struct Target {
    file: Option<PathBuf>,
    head: &'static str,
    out: BufWriter<Box<dyn Write + Send>>,
}

impl Target {
    fn open(file: Option<&Path>, head: &'static str) -> io::Result<Self> {
        let out: Box<dyn Write + Send> = match file {
            Some(file) => Box::new(append(file, head)?),
            None => Box::new(io::stdout()),
        };
        Ok(Self {
            file: file.map(Path::to_owned),
            head,
            out: BufWriter::new(out),
        })
    }
}

/// Readable by its owner and group: it says who saw what.
fn append(file: &Path, head: &str) -> io::Result<File> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o640).open(file)?;
    if file.metadata()?.len() == 0 {
        file.write_all(head.as_bytes())?;
    }
    Ok(file)
}

fn write(mut target: Target, orders: &Receiver<Order>) {
    while let Ok(first) = orders.recv() {
        let mut next = Some(first);
        while let Some(order) = next {
            let result = match order {
                Order::Line(line) => target.out.write_all(line.as_bytes()),
                Order::Reopen => reopen(&mut target),
            };
            if let Err(error) = result {
                tracing::error!(target: "portcullis", %error, "the access log cannot be written");
            }
            next = orders.try_recv().ok();
        }
        // Nothing waits any more: the last lines are to be seen.
        let _ = target.out.flush();
    }
}

fn reopen(target: &mut Target) -> io::Result<()> {
    target.out.flush()?;
    if let Some(file) = &target.file {
        target.out = BufWriter::new(Box::new(append(file, target.head)?));
    }
    Ok(())
}
