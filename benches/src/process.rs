//! Servers as child processes: started, waited for, looked at and ended.

mod affinity;
mod usage;

use std::{
    collections::VecDeque,
    io::{self, BufRead as _, BufReader, Read},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use thiserror::Error;

pub use affinity::{keep_thread_to, keep_to};
pub use usage::{Memory, Usage, processor_time, thread_time, usage};

/// For everything that a server does before it is ready, and after it has been told to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks, where there is no event to wait for.
const LOOK: Duration = Duration::from_millis(10);
/// Of what it writes, the last lines are kept to say why it failed.
const KEPT_LINES: usize = 200;

/// Why a server is not there.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// There is no such program, or it may not be run.
    #[error("start {name}: {source}")]
    Start {
        /// The server.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// It has ended.
    #[error("{name} ended with {status}:\n{output}")]
    Ended {
        /// The server.
        name: String,
        /// How.
        status: ExitStatus,
        /// The last lines it wrote.
        output: String,
    },
    /// It runs, but it is not ready.
    #[error("{name} is not ready after {} s:\n{output}", PATIENCE.as_secs())]
    NotReady {
        /// The server.
        name: String,
        /// The last lines it wrote.
        output: String,
    },
}

/// What it has written.
#[derive(Debug, Default)]
struct Output {
    lines: Mutex<VecDeque<String>>,
    changed: Condvar,
}

impl Output {
    fn lines(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server of ours. It ends when this is dropped, with its own children.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
}

impl Process {
    /// Starts a server in the foreground. Nothing but its last lines is kept of what it writes.
    ///
    /// # Errors
    /// If the program cannot be run.
    pub fn start(name: &str, mut command: Command) -> Result<Self, ProcessError> {
        let spawned = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.map_err(|source| ProcessError::Start {
            name: name.to_owned(),
            source,
        })?;
        let output = Arc::default();
        if let Some(stream) = child.stdout.take() {
            keep(stream, &output);
        }
        if let Some(stream) = child.stderr.take() {
            keep(stream, &output);
        }
        Ok(Self {
            name: name.to_owned(),
            child,
            output,
        })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it and its children have taken so far.
    ///
    /// # Errors
    /// If it has ended.
    pub fn usage(&self) -> io::Result<Usage> {
        usage(self.id())
    }

    /// The last lines that it has written.
    #[must_use]
    pub fn output(&self) -> String {
        Vec::from(self.output.lines().clone()).join("\n")
    }

    /// Waits until it accepts connections.
    ///
    /// # Errors
    /// If it ends before, or takes too long.
    pub fn wait_listening(&mut self, address: SocketAddr) -> Result<(), ProcessError> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            self.check(deadline)?;
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Waits for a line of its output in which something is found.
    ///
    /// # Errors
    /// If it ends before, or takes too long.
    pub fn wait_line<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Result<T, ProcessError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = Arc::clone(&self.output);
            let lines = output.lines();
            if let Some(found) = lines.iter().find_map(|line| find(line)) {
                return Ok(found);
            }
            // Its end has no event here.
            let waited = output.changed.wait_timeout(lines, 10 * LOOK);
            drop(waited);
            self.check(deadline)?;
        }
    }

    fn check(&mut self, deadline: Instant) -> Result<(), ProcessError> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(ProcessError::Ended {
                name: self.name.clone(),
                status,
                output: self.output(),
            });
        }
        if Instant::now() >= deadline {
            return Err(ProcessError::NotReady {
                name: self.name.clone(),
                output: self.output(),
            });
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let root = Pid::from_child(&self.child);
        // It has ended already if this fails, or what follows does.
        let _ = kill_process(root, Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(LOOK);
        }
        for pid in usage::descendants(self.id()) {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(stream: impl Read + Send + 'static, output: &Arc<Output>) {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut lines = output.lines();
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
            output.changed.notify_all();
        }
    });
}

/// A loopback address with a port that was free a moment ago, for servers that cannot say which one they took.
///
/// # Errors
/// If the system has none.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// The program that a variable names, or the first of the usual places that has one.
#[must_use]
pub fn find_program(variable: &str, usual: &[&str]) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    named
        .into_iter()
        .chain(usual.iter().map(PathBuf::from))
        .find(|path| path.is_file())
}

/// Lets this process, and those it starts, have as many open files as the system allows; how many that is.
#[must_use]
pub fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum.unwrap_or(u64::MAX),
        Err(_) => limit.current.unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        Process::start("shell", command).unwrap()
    }

    #[test]
    fn a_line_is_waited_for() {
        let mut process = shell("echo one; echo port 81; exec cat /dev/zero");
        let port: u16 = process
            .wait_line(|line| line.strip_prefix("port ")?.parse().ok())
            .unwrap();
        assert_eq!(port, 81);
        assert!(process.output().contains("one"));
    }

    #[test]
    fn a_server_that_ends_says_why() {
        let mut process = shell("echo no such file >&2; exit 3");
        let error = process.wait_line(|_| None::<()>).unwrap_err().to_string();
        assert!(
            error.contains("exit status: 3") && error.contains("no such file"),
            "{error}"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Process::start("nginx", Command::new("/nowhere/nginx")).unwrap_err();
        assert!(error.to_string().starts_with("start nginx: "), "{error}");
    }
}
