//! The commands that start the peers. Nothing is installed: a program that is not there is named with the
//! package that has it.

use std::{
    env, io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    bare,
    peer::{Installed, Peer, Program},
    running::Place,
};
use crate::{portcullis, process::find_program};

impl Installed {
    /// The program, if all that it needs is there.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let complete = self.modules.iter().all(|module| Path::new(module).is_file());
        // Debian keeps servers where users do not look.
        let places = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
        let places = places.map(|folder| format!("{folder}/{}", self.name));
        find_program(self.variable, &places.each_ref().map(String::as_str)).filter(|_| complete)
    }

    /// What to do if it is not.
    pub(crate) fn advice(&self) -> String {
        format!(
            "{} is not there: apt-get install {}, or name the program in {}",
            self.name, self.packages, self.variable
        )
    }
}

/// What ours adds to each response where sign-in is on and nothing is said of it.
const HEADERS: &str = concat!(
    r#"{ Strict-Transport-Security = "max-age=31536000", Referrer-Policy = "same-origin", "#,
    r#"X-Frame-Options = "DENY", X-Content-Type-Options = "nosniff" }"#,
);

/// What a template that serves several peers has of each.
pub(crate) fn values(peer: Peer) -> Vec<(&'static str, &'static str)> {
    match peer {
        Peer::Portcullis | Peer::PortcullisOpenHeaders => vec![("cache", "false"), ("headers", HEADERS)],
        Peer::PortcullisOpen => vec![("cache", "false"), ("headers", "{}")],
        Peer::PortcullisCache => vec![("cache", "true"), ("headers", HEADERS)],
        Peer::PortcullisOpenCache => vec![("cache", "true"), ("headers", "{}")],
        Peer::NginxCache => vec![("sendfile", "on")],
        Peer::NginxCacheNoSendfile => vec![("sendfile", "off")],
        _ => Vec::new(),
    }
}

/// The command that starts a peer whose configuration is there. A `program` is one to take for ours.
pub(crate) fn command(peer: Peer, program: Option<&Path>, at: &Place<'_>) -> io::Result<Command> {
    let file = at.file(peer.id());
    Ok(match peer.program() {
        Program::Portcullis => {
            let program = program.map_or_else(env::current_exe, |program| Ok(program.to_owned()))?;
            let mut command = Command::new(program);
            command.arg0(portcullis::NAME).arg("run").arg("--config").arg(file);
            command
        }
        Program::Pingora => pingora(peer, at)?,
        Program::Installed(installed) => {
            let program = installed.find().ok_or(io::ErrorKind::NotFound)?;
            match peer {
                Peer::Haproxy | Peer::HaproxyJwt => with(&program, &["-db", "-q", "-f"], &file),
                Peer::ApacheOidc => with(&program, &["-D", "FOREGROUND", "-f"], &file),
                Peer::Varnish => varnish(&program, &file, at),
                _ => nginx(&program, &file, at.folder),
            }
        }
    })
}

/// nginx, with its files in that folder.
pub(crate) fn nginx(program: &Path, file: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-e", "stderr", "-p"]).arg(folder).arg("-c").arg(file);
    command
}

fn with(program: &Path, arguments: &[&str], file: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg(file);
    command
}

/// Without its usual change of user, for which it would have to be installed in a certain way.
fn varnish(program: &Path, file: &Path, at: &Place<'_>) -> Command {
    let mut command = Command::new(program);
    command.args(["-F", "-j", "none", "-s", "malloc,256m", "-a", &at.http.to_string()]);
    command.arg("-n").arg(at.folder.join("work")).arg("-f").arg(file);
    command
}

/// This program under another name.
fn pingora(peer: Peer, at: &Place<'_>) -> io::Result<Command> {
    let certificate = at.stage.certificate();
    let mut command = Command::new(env::current_exe()?);
    command.arg0(bare::NAME);
    command.args(["--http", &at.http.to_string(), "--https", &at.https.to_string()]);
    command.args([
        "--origin",
        &at.origin.to_string(),
        "--workers",
        &at.stage.workers().to_string(),
    ]);
    command
        .arg("--certificate")
        .arg(&certificate.cert)
        .arg("--key")
        .arg(&certificate.key);
    if peer == Peer::PingoraRs256 {
        command.args(["--admin", &at.admin.to_string()]);
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_packages() {
        let missing = Installed {
            name: "no-such-server",
            variable: "PORTCULLIS_TEST_NO_SUCH_SERVER",
            modules: &[],
            version: "",
            packages: "no-such-server no-such-module",
        };
        assert_eq!(missing.find(), None);
        assert_eq!(
            missing.advice(),
            "no-such-server is not there: apt-get install no-such-server no-such-module, or name the program in \
             PORTCULLIS_TEST_NO_SUCH_SERVER"
        );
    }

    #[test]
    fn a_program_without_its_module_is_missing() {
        let shell = Installed {
            name: "sh",
            variable: "PORTCULLIS_TEST_NO_SUCH_SERVER",
            modules: &["/no/such/module.so"],
            version: "",
            packages: "",
        };
        assert_eq!(shell.find(), None);
        assert!(Installed { modules: &[], ..shell }.find().is_some());
    }
}
