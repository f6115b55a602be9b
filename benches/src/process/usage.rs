//! What a process and its children take, from `/proc`.

use std::{fs, io, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// Of `/proc/PID/stat`, the same on every Linux that matters (`sysconf(_SC_CLK_TCK)`).
const TICK: Duration = Duration::from_millis(10);

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Memory {
    /// Resident: what is in memory now, shared pages (as those of the program file) counted in full by each
    /// process.
    pub rss: u64,
    /// Proportional: shared pages divided among those who share them; `None` where the kernel does not tell.
    pub pss: Option<u64>,
    /// The part of `rss` that belongs to no file: heap and stacks.
    pub anonymous: u64,
    /// The greatest `rss` so far.
    pub peak: u64,
}

/// What has been taken, by a process and its children together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, user and system.
    pub cpu: Duration,
    /// Memory.
    pub memory: Memory,
    /// How many processes.
    pub processes: usize,
}

/// Looks at a process and all that descend from it.
///
/// # Errors
/// If there is no such process.
pub fn usage(pid: u32) -> io::Result<Usage> {
    let mut whole = one(pid)?;
    // A child may end between being listed and being looked at.
    for part in descendants(pid).into_iter().filter_map(|child| one(child).ok()) {
        whole.cpu += part.cpu;
        whole.memory.rss += part.memory.rss;
        whole.memory.anonymous += part.memory.anonymous;
        whole.memory.peak += part.memory.peak;
        whole.memory.pss = whole.memory.pss.zip(part.memory.pss).map(|(one, other)| one + other);
        whole.processes += 1;
    }
    Ok(whole)
}

/// Processor time of the threads that a process and its children have now, in nanoseconds: of use where it is
/// compared with what it was a moment ago, and no thread ends in between.
///
/// # Errors
/// If there is no such process.
pub fn processor_time(pid: u32) -> io::Result<Duration> {
    fs::metadata(format!("/proc/{pid}"))?;
    let children: Duration = descendants(pid).into_iter().map(scheduled).sum();
    Ok(scheduled(pid) + children)
}

/// Processor time of the thread that asks: what others do meanwhile does not count.
#[must_use]
pub fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// All that descend from a process.
pub(super) fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return found;
    };
    for task in tasks.flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            found.push(child);
            found.extend(descendants(child));
        }
    }
    found
}

fn one(pid: u32) -> io::Result<Usage> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
    let counted = ticks(&read("stat")?).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Usage {
        // The scheduler's figure is exact, but forgets threads that have ended; that of `stat` does not.
        cpu: scheduled(pid).max(counted),
        memory: memory(&read("status")?, &read("smaps_rollup").unwrap_or_default()),
        processes: 1,
    })
}

/// User and system time of the process and of its children that have ended.
fn ticks(stat: &str) -> Option<Duration> {
    // The name before it may hold anything.
    let fields = stat.rsplit_once(')')?.1;
    let times = fields.split_whitespace().skip(11).take(4);
    let sum: u32 = times.map(|time| time.parse::<u32>().ok()).sum::<Option<u32>>()?;
    Some(TICK * sum)
}

/// Processor time of the threads that there are, in nanoseconds.
fn scheduled(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let spent = tasks.filter_map(|task| {
        let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    });
    spent.sum()
}

fn memory(status: &str, smaps: &str) -> Memory {
    let of = |text: &str, name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    };
    Memory {
        rss: of(status, "VmRSS:").unwrap_or(0),
        pss: of(smaps, "Pss:"),
        anonymous: of(status, "RssAnon:").unwrap_or(0),
        peak: of(status, "VmHWM:").unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_anything_in_it() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 2 3 4 5 100 50 7 3 20 0 1 0 88";
        assert_eq!(ticks(stat), Some(Duration::from_millis(1_600)));
        assert_eq!(ticks("42 (a"), None);
    }

    #[test]
    fn memory_comes_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nRssAnon:\t     512 kB\n";
        let memory = memory(status, "Rss: 1024 kB\nPss:                1000 kB\n");
        let expected = Memory {
            rss: 1 << 20,
            pss: Some(1_000 * 1024),
            anonymous: 512 * 1024,
            peak: 2 << 20,
        };
        assert_eq!(memory, expected);
    }

    #[test]
    fn this_process_takes_time_and_memory() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.cpu > Duration::ZERO);
        assert!(usage.memory.rss > 0 && usage.memory.peak >= usage.memory.anonymous);
        assert!(usage.processes >= 1);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(super::usage(u32::MAX / 2).is_err());
        assert!(processor_time(u32::MAX / 2).is_err());
    }
}
