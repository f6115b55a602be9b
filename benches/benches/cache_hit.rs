//! What a cache hit costs, in processor time of the proxy, against nginx's proxy_cache.
//!
//! `cargo build --release -p proxy --bin portcullis`, then `cargo bench -p benches --bench cache_hit`.
//! `PORTCULLIS` names another program than `target/release/portcullis`. nginx comes from Debian's package
//! `nginx-light` (or `NGINX`); without it the bench says so and ends.
//!
//! Both get one worker and no access log, keep answers of the same origin in memory (nginx: on tmpfs, if
//! /dev/shm is one), and are measured in turns, so that what else the machine does falls on both. The figure is
//! the median, over the turns, of the ratio of user and system time a request; absolute times vary with the
//! machine.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench stops at the first thing that is wrong, and says what it has measured"
)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const TURNS: usize = 15;
const CONNECTIONS: usize = 64;
const REQUESTS: usize = 150;
const SIZES: [usize; 2] = [1_024, 102_400];

/// A server under measurement, ended with the bench.
struct Peer {
    name: &'static str,
    address: SocketAddr,
    child: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It is a child of ours, and nothing of it is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some(nginx) = program("NGINX", &["/usr/sbin/nginx", "/usr/bin/nginx"]) else {
        println!("nginx is missing: install Debian's package nginx-light, or name it in NGINX");
        return;
    };
    let target = env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "../target".into());
    let built = format!("{target}/release/portcullis");
    let Some(portcullis) = program("PORTCULLIS", &[&built]) else {
        println!("{built} is missing: cargo build --release -p proxy --bin portcullis");
        return;
    };
    let folder = scratch();
    let origin = origin();
    let peers = [
        start_nginx(&nginx, &folder, origin),
        start_portcullis(&portcullis, &folder, origin),
    ];
    for size in SIZES {
        compare(&peers, size);
    }
    drop(peers);
    fs::remove_dir_all(&folder).expect("the scratch folder can be removed");
}

fn compare(peers: &[Peer; 2], size: usize) {
    for peer in peers {
        // Warm: connections, code, and the answer itself.
        load(peer, size);
    }
    let turns: Vec<[f64; 2]> = (0..TURNS)
        .map(|_| [load(&peers[0], size), load(&peers[1], size)])
        .collect();
    let of = |index: usize| median(turns.iter().map(|turn| turn[index]).collect());
    let ratio = median(turns.iter().map(|turn| turn[1] / turn[0]).collect());
    println!(
        "{size:>7} bytes: {} {:.1} µs, {} {:.1} µs a request; ratio {ratio:.2}",
        peers[0].name,
        of(0),
        peers[1].name,
        of(1)
    );
}

/// Microseconds of processor time a request.
fn load(peer: &Peer, size: usize) -> f64 {
    let before = processor_time(peer.child.id());
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| ask(peer.address, size));
        }
    });
    let spent = processor_time(peer.child.id()) - before;
    spent.as_secs_f64() * 1e6 / (CONNECTIONS * REQUESTS) as f64
}

/// One connection's requests, each after the answer to the one before.
fn ask(address: SocketAddr, size: usize) {
    let mut stream = TcpStream::connect(address).expect("the peer listens");
    stream.set_nodelay(true).expect("a TCP connection");
    let request = format!("GET /{size} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n");
    let mut buffer = vec![0; 256 * 1024];
    for _ in 0..REQUESTS {
        stream.write_all(request.as_bytes()).expect("the peer reads");
        let mut filled = 0;
        let mut expected = usize::MAX;
        while filled < expected {
            let count = stream.read(&mut buffer[filled..]).expect("the peer answers");
            assert!(count > 0, "the peer closed");
            filled += count;
            if expected == usize::MAX
                && let Some(end) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n")
            {
                assert!(buffer.starts_with(b"HTTP/1.1 200"), "the peer failed");
                expected = end + 4 + size;
            }
        }
    }
}

/// User and system time of a process and its children, by thread, in nanoseconds.
fn processor_time(pid: u32) -> Duration {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    let own = threads(pid);
    children.map(processor_time).sum::<Duration>() + own
}

fn threads(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let spent = tasks.filter_map(|task| {
        let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    });
    spent.sum()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Answers `/SIZE` with so many bytes that may be kept for an hour.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&count| count > 0)?;
        let size: usize = line.split(' ').nth(1)?.trim_start_matches('/').parse().ok()?;
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).ok().filter(|&count| count > 0)?;
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\
             Cache-Control: max-age=3600\r\nETag: \"{size}\"\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), &vec![b'x'; size]].concat()).ok()?;
    }
}

fn program(variable: &str, usual: &[&str]) -> Option<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from);
    named
        .into_iter()
        .chain(usual.iter().map(PathBuf::from))
        .find(|path| path.is_file())
}

fn scratch() -> PathBuf {
    let shared = Path::new("/dev/shm");
    let parent = if shared.is_dir() {
        shared.to_owned()
    } else {
        env::temp_dir()
    };
    let folder = parent.join(format!("portcullis-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a scratch folder");
    folder
}

/// A port that was free a moment ago.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket")
}

fn start_nginx(program: &Path, folder: &Path, origin: SocketAddr) -> Peer {
    let address = free_port();
    let at = folder.display();
    let config = format!(
        "daemon off; worker_processes 1; pid {at}/nginx.pid; error_log {at}/error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; keepalive_requests 1000000; sendfile on; tcp_nodelay on;\n\
         client_body_temp_path {at}/body; proxy_temp_path {at}/temp; fastcgi_temp_path {at}/fastcgi;\n\
         uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n\
         proxy_cache_path {at}/cache keys_zone=kept:10m;\n\
         server {{ listen {address}; location / {{ proxy_pass http://{origin}; proxy_cache kept; }} }} }}\n"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config).expect("a file in the scratch folder");
    let child = Command::new(program)
        .args(["-c".as_ref(), file.as_os_str()])
        .spawn()
        .expect("nginx starts");
    ready(Peer {
        name: "nginx",
        address,
        child,
    })
}

fn start_portcullis(program: &Path, folder: &Path, origin: SocketAddr) -> Peer {
    let address = free_port();
    let config = format!(
        "threads = 1\n[listen]\nhttp = [\"{address}\"]\n[admin]\nlisten = \"off\"\n[log]\nlevel = \"warn\"\n\
         [[sites]]\nhosts = [\"localhost\"]\n[sites.auth]\ninsecure_auth_off = true\n\
         [sites.origin]\nkind = \"custom\"\nurl = \"http://{origin}\"\n[sites.cache]\nenabled = true\n"
    );
    let file = folder.join("config.toml");
    fs::write(&file, config).expect("a file in the scratch folder");
    let child = Command::new(program)
        .arg("run")
        .arg("--config")
        .arg(&file)
        .stdout(Stdio::null())
        .spawn()
        .expect("portcullis starts");
    ready(Peer {
        name: "portcullis",
        address,
        child,
    })
}

/// Waits until it accepts connections.
fn ready(peer: Peer) -> Peer {
    let began = Instant::now();
    while TcpStream::connect(peer.address).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{} does not listen",
            peer.name
        );
        thread::sleep(Duration::from_millis(20));
    }
    peer
}
