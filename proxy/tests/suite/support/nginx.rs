//! A real nginx with the configuration that the documentation shows.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

const DOCUMENTATION: &str = include_str!("../../../../docs/forward-auth.md");

/// A running nginx.
pub(crate) struct Nginx {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: TempDir,
    /// Bound and never listening: keeps the port from others until nginx has it.
    _reserved: Socket,
}

impl Nginx {
    /// Starts nginx in front of both and waits until it accepts connections.
    pub(crate) fn start(portcullis: SocketAddr, application: SocketAddr) -> Self {
        let folder = TempDir::new().unwrap();
        let (reserved, address) = reserve();
        let server = documented()
            .replace("127.0.0.1:8080", &portcullis.to_string())
            .replace("127.0.0.1:3000", &application.to_string())
            .replace("listen 127.0.0.1:8000", &format!("listen {address} reuseport"));
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {};\n", folder.path().join(kind).display()))
            .concat();
        let text = format!(
            "daemon off;\nmaster_process off;\nworker_processes 1;\npid {};\nerror_log stderr notice;\n\
             events {{}}\nhttp {{\naccess_log off;\n{temporary}{server}}}\n",
            folder.path().join("pid").display()
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text).unwrap();
        let mut child = Command::new(program())
            .args(["-e", "stderr", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut all = String::new();
        // Its sockets are open before it says on which system it is.
        let is_up = said.any(|line| {
            all.push_str(&line);
            all.push('\n');
            line.contains("getrlimit(RLIMIT_NOFILE)")
        });
        assert!(is_up, "nginx does not start: {all}");
        std::thread::spawn(move || said.for_each(drop));
        Self {
            address,
            child,
            _folder: folder,
            _reserved: reserved,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It has ended if these fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first nginx block of the documentation.
fn documented() -> &'static str {
    let (_, rest) = DOCUMENTATION.split_once("```nginx\n").expect("an nginx block");
    rest.split_once("```").expect("its end").0
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join("nginx"))
        .find(|file| file.is_file())
        .expect("nginx is not installed: run `scripts/require.sh nginx`, or `make test`, which does")
}

fn reserve() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}
