//! An unpacked package in a temporary folder, and the ways in which Lambda starts it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::{Child, Command, Stdio},
};

use edge_adapter::Role;
use tempfile::TempDir;

use crate::runtime_api::RuntimeApi;

pub(crate) const CONFIGURATION: &str = include_str!("../data/configuration.json");

/// What Lambda's managed runtimes do with a handler: import its module and, had it ended, go on.
const PYTHON: &str = "
import importlib, os, sys
sys.path.insert(0, os.environ['LAMBDA_TASK_ROOT'])
importlib.import_module(os.environ['_HANDLER'].rsplit('.', 1)[0])
sys.exit('the module returned')
";
const NODE: &str = "
const module = process.env._HANDLER.replace(/[.][^.]*$/, '.mjs');
await import(`${process.env.LAMBDA_TASK_ROOT}/${module}`);
throw new Error('the module returned');
";
const NODE_WITHOUT_EXECVE: &str = "process.execve = undefined;";

/// How the program is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// By itself.
    Program,
    /// By the managed Python runtime.
    Python,
    /// By the managed Node.js runtime, as this machine's Node.js can.
    Node,
    /// The same as Node.js before 22.15 does it.
    NodeWithoutExecve,
}

impl Start {
    pub(crate) const ALL: [Self; 4] = [Self::Program, Self::Python, Self::Node, Self::NodeWithoutExecve];
    pub(crate) const SHIMS: [Self; 3] = [Self::Python, Self::Node, Self::NodeWithoutExecve];

    /// Whether this machine has what it needs; says so where it has not.
    pub(crate) fn is_possible(self) -> bool {
        let interpreter = match self {
            Self::Program => return true,
            Self::Python => "python3",
            Self::Node | Self::NodeWithoutExecve => "node",
        };
        let found = Command::new(interpreter).arg("--version").output().is_ok();
        if !found {
            eprintln!("skipped: there is no {interpreter} here");
        }
        found
    }

    fn command(self, folder: &Path) -> Command {
        let (program, arguments) = match self {
            Self::Program => return Command::new(folder.join("bootstrap")),
            Self::Python => ("python3", vec!["-c".to_owned(), PYTHON.to_owned()]),
            Self::Node => ("node", node(NODE)),
            Self::NodeWithoutExecve => ("node", node(&format!("{NODE_WITHOUT_EXECVE}{NODE}"))),
        };
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }
}

fn node(script: &str) -> Vec<String> {
    ["--input-type=module", "-e", script].map(ToOwned::to_owned).to_vec()
}

/// A package; deleted in the end.
pub(crate) struct Package(TempDir);

impl Package {
    /// The program of this build, both shims for each role, and the configuration of the tests.
    pub(crate) fn new() -> Self {
        let package = Self::without_program();
        symlink(env!("CARGO_BIN_EXE_bootstrap"), package.path("bootstrap")).unwrap();
        package
    }

    fn without_program() -> Self {
        let package = Self(TempDir::new().unwrap());
        let shims = Path::new(env!("CARGO_MANIFEST_DIR")).join("shims");
        for kind in ["py", "mjs"] {
            let start = format!("portcullis_start.{kind}");
            fs::copy(shims.join(&start), package.path(&start)).unwrap();
            for role in Role::ALL {
                let own = package.path(&format!("{}.{kind}", role.as_str()));
                fs::copy(shims.join(format!("role.{kind}")), own).unwrap();
            }
        }
        package.configure(CONFIGURATION);
        package
    }

    /// A package whose program is these bytes.
    pub(crate) fn with_program(bytes: &[u8], mode: u32) -> Self {
        let package = Self::without_program();
        fs::write(package.path("bootstrap"), bytes).unwrap();
        fs::set_permissions(package.path("bootstrap"), fs::Permissions::from_mode(mode)).unwrap();
        package
    }

    /// A package without the program.
    pub(crate) fn incomplete() -> Self {
        Self::without_program()
    }

    pub(crate) fn configure(&self, configuration: &str) {
        fs::write(self.path("configuration.json"), configuration).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// The command that starts it as Lambda would.
    pub(crate) fn command(&self, start: Start, handler: &str, api: &RuntimeApi) -> Command {
        let mut command = start.command(self.0.path());
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.0.path())
            .env("LAMBDA_TASK_ROOT", self.0.path())
            .env("_HANDLER", handler)
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "us-east-1.edge")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, start: Start, handler: &str, api: &RuntimeApi) -> Running {
        Running(Some(self.command(start, handler, api).spawn().unwrap()))
    }
}

/// A running function; killed in the end.
pub(crate) struct Running(Option<Child>);

impl Running {
    /// The program that its process runs now.
    pub(crate) fn executable(&self) -> std::path::PathBuf {
        let id = self.0.as_ref().unwrap().id();
        fs::read_link(format!("/proc/{id}/exe")).unwrap()
    }

    /// Kills it; gives what it has written to standard output.
    pub(crate) fn end(mut self) -> String {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
