//! A thread under load: its connections, each asking for whatever is due next.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::{Arc, atomic::Ordering, mpsc},
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::{Mutex, Notify},
    task::{JoinSet, LocalSet},
};

use super::{
    GeneratorError,
    arrival::{PhasePart, Schedule, Stop},
    connection::{Answer, Connection, Failure},
    mix::{Mix, Request, Rotation},
    record::{Measured, Moments, Progress},
    target::Target,
    timer::Timer,
};

/// For one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// What is still due when an open-loop phase has ended gets this long.
const DRAIN: Duration = Duration::from_secs(10);
/// Between attempts at a server that takes no connection.
const RECONNECT_PAUSE: Duration = Duration::from_millis(50);

/// What a thread has to do with.
pub(super) struct Part {
    pub(super) target: Arc<Target>,
    pub(super) mix: Arc<Mix>,
    pub(super) connections: usize,
    pub(super) streams: usize,
    pub(super) index: usize,
    pub(super) threads: usize,
}

/// A phase to run.
pub(super) struct Order {
    pub(super) phase: PhasePart,
    pub(super) start: Instant,
    pub(super) progress: Arc<Progress>,
}

/// The thread: connects, then runs phase after phase until nobody orders any more.
pub(super) fn run(
    part: Part,
    connected: &mpsc::SyncSender<Result<(), GeneratorError>>,
    orders: &mpsc::Receiver<Order>,
    results: &mpsc::Sender<Measured>,
) {
    let local = LocalSet::new();
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(connected.send(Err(GeneratorError::Start(error)))),
    };
    let rotation = Rc::new(RefCell::new(Rotation::new(&part.mix, part.index, part.threads)));
    let mut slots = match connect_all(&runtime, &local, &part) {
        Ok(slots) => slots,
        Err(error) => return drop(connected.send(Err(error))),
    };
    if connected.send(Ok(())).is_err() {
        return;
    }
    while let Ok(order) = orders.recv() {
        let (measured, kept) = local.block_on(&runtime, run_phase(&part, Rc::clone(&rotation), order, slots));
        slots = kept;
        if results.send(measured).is_err() {
            return;
        }
    }
}

/// What can ask one thing at a time: an HTTP/1.1 connection, or one of an HTTP/2 connection's streams.
struct Slot {
    line: Rc<Mutex<Line>>,
    /// Of the line, when `connection` was opened.
    generation: u64,
    connection: Option<Connection>,
}

/// A connection as its slots see it: which is the present one.
struct Line {
    /// Unique over all threads.
    number: usize,
    generation: u64,
    /// For the other slots; `None`: there are none.
    present: Option<Connection>,
}

fn connect_all(runtime: &Runtime, local: &LocalSet, part: &Part) -> Result<Vec<Slot>, GeneratorError> {
    local.block_on(runtime, async {
        let mut slots = Vec::new();
        // One after the other: a server's backlog is no part of what is measured.
        for index in 0..part.connections {
            let line = Rc::new(Mutex::new(Line {
                number: index * part.threads + part.index,
                generation: 0,
                present: None,
            }));
            for stream in 0..part.streams {
                let mut slot = Slot {
                    line: Rc::clone(&line),
                    generation: 0,
                    connection: None,
                };
                let opened = slot.open(&part.target).await;
                slot.connection = Some(opened.map_err(|failure| GeneratorError::Connect {
                    address: part.target.address,
                    failure,
                })?);
                let single = slot
                    .connection
                    .as_ref()
                    .is_some_and(|connection| connection.share().is_none());
                slots.push(slot);
                if stream == 0 && single {
                    break;
                }
            }
        }
        Ok(slots)
    })
}

/// What the slots of a thread have in common during a phase.
struct Shared {
    target: Arc<Target>,
    mix: Arc<Mix>,
    start: Instant,
    feed: Feed,
    /// Goes on from one phase to the next.
    rotation: Rc<RefCell<Rotation>>,
    measured: RefCell<Measured>,
    progress: Arc<Progress>,
}

/// Where requests come from.
enum Feed {
    /// As many as there is time for, or as are left.
    Closed { end: Option<Duration>, left: Cell<u64> },
    /// Those that are due.
    Open {
        due: RefCell<VecDeque<Duration>>,
        more: Notify,
        ended: Cell<bool>,
    },
}

async fn run_phase(
    part: &Part,
    rotation: Rc<RefCell<Rotation>>,
    order: Order,
    slots: Vec<Slot>,
) -> (Measured, Vec<Slot>) {
    let PhasePart { schedule, stop } = order.phase;
    let feed = match (schedule, stop) {
        (None, Stop::After(end)) => Feed::Closed {
            end: Some(end),
            left: Cell::new(u64::MAX),
        },
        (None, Stop::Requests(count)) => Feed::Closed {
            end: None,
            left: Cell::new(count),
        },
        (Some(_), _) => Feed::Open {
            due: RefCell::default(),
            more: Notify::new(),
            ended: Cell::new(false),
        },
    };
    let shared = Rc::new(Shared {
        target: Arc::clone(&part.target),
        mix: Arc::clone(&part.mix),
        start: order.start,
        feed,
        rotation,
        measured: RefCell::new(Measured::new(&part.mix)),
        progress: order.progress,
    });
    let mut working = JoinSet::new();
    for slot in slots {
        working.spawn_local(work(slot, Rc::clone(&shared)));
    }
    if let Some(schedule) = schedule {
        shared.announce(schedule, stop).await;
    }
    let mut slots = Vec::new();
    if schedule.is_some() {
        let _ = tokio::time::timeout(DRAIN, finish(&mut working, &mut slots)).await;
        shared.give_up();
    }
    finish(&mut working, &mut slots).await;
    (shared.measured.replace(Measured::new(&part.mix)), slots)
}

async fn finish(working: &mut JoinSet<Slot>, slots: &mut Vec<Slot>) {
    while let Some(ended) = working.join_next().await {
        slots.extend(ended.ok());
    }
}

async fn work(mut slot: Slot, shared: Rc<Shared>) -> Slot {
    while let Some(due) = shared.next().await {
        let (share, request) = shared.rotation.borrow_mut().next(&shared.mix);
        let request = &shared.mix.shares[share].requests[request];
        let sent = shared.start.elapsed();
        let result = slot.ask(&shared, request).await;
        let at = Moments {
            due: due.unwrap_or(sent),
            sent,
            done: shared.start.elapsed(),
        };
        shared.record(share, result, at);
    }
    slot
}

impl Slot {
    /// A connection that has ended between two requests, as any server's may, is opened anew and asked again.
    async fn ask(&mut self, shared: &Shared, request: &Request) -> Result<Answer, Failure> {
        match self.try_ask(shared, request).await {
            Err(Failure::Ended) => self.try_ask(shared, request).await,
            result => result,
        }
    }

    async fn try_ask(&mut self, shared: &Shared, request: &Request) -> Result<Answer, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                shared.measured.borrow_mut().reconnections += 1;
                self.open(&shared.target).await?
            }
        };
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, connection.ask(&shared.target, request))
            .await
            .unwrap_or(Err(Failure::TimedOut));
        if answer.is_ok_and(|answer| answer.reusable) {
            self.connection = Some(connection);
        }
        answer
    }

    /// Opens the line's connection, unless another of its slots has done so meanwhile.
    async fn open(&mut self, target: &Target) -> Result<Connection, Failure> {
        let mut line = self.line.lock().await;
        if line.generation != self.generation
            && let Some(present) = line.present.as_ref().and_then(Connection::share)
        {
            self.generation = line.generation;
            return Ok(present);
        }
        match Connection::open(target, line.number).await {
            Ok(opened) => {
                line.generation += 1;
                line.present = opened.share();
                self.generation = line.generation;
                Ok(opened)
            }
            Err(failure) => {
                tokio::time::sleep(RECONNECT_PAUSE).await;
                Err(failure)
            }
        }
    }
}

impl Shared {
    /// Waits for the next request to be sent; the time at which it was due, in an open loop. `None`: no more.
    async fn next(&self) -> Option<Option<Duration>> {
        match &self.feed {
            Feed::Closed { end, left } => {
                let over = end.is_some_and(|end| self.start.elapsed() >= end);
                let now_left = left.get().checked_sub(1).filter(|_| !over)?;
                left.set(now_left);
                Some(None)
            }
            Feed::Open { due, more, ended } => loop {
                let notified = more.notified();
                if let Some(due) = due.borrow_mut().pop_front() {
                    return Some(Some(due));
                }
                if ended.get() {
                    return None;
                }
                notified.await;
            },
        }
    }

    /// Makes requests due at their times.
    async fn announce(&self, schedule: Schedule, stop: Stop) {
        let Feed::Open { due, more, ended } = &self.feed else {
            return;
        };
        let (end, count) = match stop {
            Stop::After(end) => (end, u64::MAX),
            Stop::Requests(count) => (Duration::MAX, count),
        };
        let Ok(timer) = Timer::new() else { return };
        for index in 0..count {
            let moment = schedule.due(index);
            if moment >= end {
                break;
            }
            if self.start.elapsed() < moment && timer.until(self.start + moment).await.is_err() {
                break;
            }
            due.borrow_mut().push_back(moment);
            more.notify_one();
        }
        ended.set(true);
        more.notify_waiters();
    }

    /// Leaves unsent what is still due.
    fn give_up(&self) {
        let Feed::Open { due, .. } = &self.feed else { return };
        let done = self.start.elapsed();
        for due in due.take() {
            let at = Moments { due, sent: done, done };
            self.record(0, Err(Failure::Unsent), at);
        }
    }

    fn record(&self, share: usize, result: Result<Answer, Failure>, at: Moments) {
        let mut measured = self.measured.borrow_mut();
        match result {
            Ok(answer) => {
                let expected = self.mix.shares[share].expected.is(answer.status);
                measured.answered(share, answer.status, answer.body_bytes, expected, at);
                self.progress.answered.fetch_add(1, Ordering::Relaxed);
                self.progress.wrong.fetch_add(u64::from(!expected), Ordering::Relaxed);
            }
            Err(failure) => {
                measured.failed(failure, at);
                self.progress.wrong.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
