//! The `portcullis` process: what it says, how it ends, what it takes.

use std::{
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longer than anything here is meant to take on a busy machine.
const HANGS: Duration = Duration::from_secs(40);

/// How the process is to be ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Interrupt,
    Terminate,
    Quit,
    /// Reload.
    HangUp,
    /// Begin a new access log.
    Reopen,
    /// Start a successor.
    Succeed,
}

/// Everything that the process has written so far.
#[derive(Debug, Default)]
struct Said {
    out: Vec<String>,
    err: Vec<String>,
    /// Streams that have ended, of two.
    ended: u8,
}

/// A process that has been started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    said: Arc<(Mutex<Said>, Condvar)>,
}

impl Process {
    /// Starts the program with these arguments and variables, and no others.
    pub(crate) fn start(arguments: &[&str], variables: &[(String, String)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(arguments)
            .env_clear()
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new((Mutex::new(Said::default()), Condvar::new()));
        read(child.stdout.take().unwrap(), &said, |said| &mut said.out);
        read(child.stderr.take().unwrap(), &said, |said| &mut said.err);
        Self { child, said }
    }

    /// Starts `run` with a configuration file.
    pub(crate) fn run(config: &Path, variables: &[(String, String)]) -> Self {
        Self::start(&["run", "--config", config.to_str().unwrap()], variables)
    }

    /// Waits for an event on standard output.
    pub(crate) fn event(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = self.wait(|said| {
            let events = said.out.iter().filter_map(|line| serde_json::from_str(line).ok());
            events.into_iter().find(|event| wanted(event))
        });
        found.unwrap_or_else(|| panic!("no such event in {}", self.output()))
    }

    /// Waits for the event with this message.
    pub(crate) fn message(&self, message: &str) -> Value {
        self.event(|event| event["message"] == message)
    }

    /// Waits until there are so many events with this message.
    pub(crate) fn messages(&self, count: usize, message: &str) -> Vec<Value> {
        let found = self.wait(|said| {
            let events = said.out.iter().filter_map(|line| serde_json::from_str(line).ok());
            let found: Vec<Value> = events.filter(|event: &Value| event["message"] == message).collect();
            (found.len() >= count).then_some(found)
        });
        found.unwrap_or_else(|| panic!("not {count} of {message:?} in {}", self.output()))
    }

    /// Waits for the first line of standard output.
    pub(crate) fn first_line(&self) -> String {
        self.wait(|said| said.out.first().cloned())
            .unwrap_or_else(|| panic!("nothing but {}", self.output()))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let signal = match signal {
            Signal::Interrupt => rustix::process::Signal::INT,
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Quit => rustix::process::Signal::QUIT,
            Signal::HangUp => rustix::process::Signal::HUP,
            Signal::Reopen => rustix::process::Signal::USR1,
            Signal::Succeed => rustix::process::Signal::USR2,
        };
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the end: that of its output, then its own.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let ended = self.wait(|said| (said.ended == 2).then_some(()));
        assert!(ended.is_some(), "still running: {}", self.output());
        self.child.wait().unwrap()
    }

    pub(crate) fn out(&self) -> String {
        self.said.0.lock().unwrap().out.join("\n")
    }

    pub(crate) fn err(&self) -> String {
        self.said.0.lock().unwrap().err.join("\n")
    }

    /// Both streams.
    pub(crate) fn output(&self) -> String {
        format!("{}\n{}", self.out(), self.err())
    }

    /// Kilobytes of a line of `/proc/PID/status`: `VmRSS`, `VmHWM`.
    pub(crate) fn memory_kb(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let found = status
            .lines()
            .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        found.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// `None`: time or output is over.
    fn wait<T>(&self, find: impl Fn(&Said) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + HANGS;
        let (lock, changed) = &*self.said;
        let mut said = lock.lock().unwrap();
        loop {
            if let Some(found) = find(&said) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if said.ended == 2 || left.is_zero() {
                return None;
            }
            said = changed.wait_timeout(said, left).unwrap().0;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended if these fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(
    stream: impl Read + Send + 'static,
    said: &Arc<(Mutex<Said>, Condvar)>,
    lines: impl Fn(&mut Said) -> &mut Vec<String> + Send + 'static,
) {
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            lines(&mut said.0.lock().unwrap()).push(line);
            said.1.notify_all();
        }
        said.0.lock().unwrap().ended += 1;
        said.1.notify_all();
    });
}

/// The addresses of the start-up event's field.
pub(crate) fn addresses(ready: &Value, field: &str) -> Vec<SocketAddr> {
    let list = ready[field].as_str().unwrap_or_default().split(',');
    list.filter(|text| !text.is_empty())
        .map(|text| text.parse().unwrap())
        .collect()
}
