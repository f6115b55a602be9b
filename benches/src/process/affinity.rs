//! Which cores a process runs on.

use std::fs;

use rustix::{
    process::Pid,
    thread::{CpuSet, sched_setaffinity},
};

use super::usage::descendants;

/// Keeps the threads that a process and its children have now, and those that these start later, to some cores. What
/// ends meanwhile, or may not be told, is left as it is.
pub fn keep_to(pid: u32, cores: &[usize]) {
    let set = set_of(cores);
    for process in [pid].into_iter().chain(descendants(pid)) {
        let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
        let threads = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
        for thread in threads.filter_map(Pid::from_raw) {
            let _ = sched_setaffinity(Some(thread), &set);
        }
    }
}

/// Keeps this thread to some cores, where that is allowed.
pub fn keep_thread_to(cores: &[usize]) {
    let _ = sched_setaffinity(None, &set_of(cores));
}

fn set_of(cores: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    for &core in cores.iter().filter(|&&core| core < CpuSet::MAX_CPU) {
        set.set(core);
    }
    set
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use rustix::thread::sched_getaffinity;

    use super::*;

    #[test]
    fn a_process_keeps_to_its_core() {
        let all = sched_getaffinity(None).unwrap();
        let core = (0..CpuSet::MAX_CPU).rfind(|&core| all.is_set(core)).unwrap();
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        keep_to(child.id(), &[core]);
        let kept = sched_getaffinity(Pid::from_raw(child.id().try_into().unwrap())).unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(kept.is_set(core));
        assert_eq!(kept.count(), 1);
        assert_eq!(sched_getaffinity(None).unwrap(), all, "others keep theirs");
    }
}
