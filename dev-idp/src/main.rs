//! The `dev-idp` command: one client, some users, until Ctrl-C or SIGTERM.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use dev_idp::{AllowedUrl, Client, Control, DevIdp, Lifetimes, RefreshRotation, Running, Settings, User};
use serde_json::json;

/// A Cognito-shaped identity provider for development and tests. It protects nothing.
#[derive(Debug, Parser)]
#[command(name = "dev-idp", version)]
struct Args {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// AWS region named in the issuer.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// User pool id named in the issuer.
    #[arg(long, default_value = "us-east-1_DevPool01")]
    pool_id: String,
    /// Replaces the Cognito-shaped issuer.
    #[arg(long)]
    issuer: Option<String>,
    /// The app client's id.
    #[arg(long, default_value = "dev-client")]
    client_id: String,
    /// The app client's secret; without it the client is public.
    #[arg(long)]
    client_secret: Option<String>,
    /// Allowed callback URL, repeatable: exact, with `:*` for any port, or `*` for any URL.
    #[arg(long = "callback", value_name = "URL", required = true)]
    callbacks: Vec<AllowedUrl>,
    /// Allowed sign-out URL, repeatable, written as the callbacks are.
    #[arg(long = "sign-out", value_name = "URL")]
    sign_outs: Vec<AllowedUrl>,
    /// A user, repeatable: name:password, or name:password:group,group.
    #[arg(long = "user", value_name = "USER", value_parser = parse_user, required = true)]
    users: Vec<User>,
    /// Lifetime of id and access tokens in seconds.
    #[arg(long, default_value_t = 3600)]
    token_seconds: u64,
    /// Hands out a new refresh token with each refresh.
    #[arg(long)]
    rotate_refresh_tokens: bool,
    /// Answers under /_dev/, where anybody may set faults and rotate keys.
    #[arg(long)]
    faults: bool,
    /// Prints one JSON line instead of text.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn settings(self) -> Settings {
        let mut client = match self.client_secret {
            Some(secret) => Client::confidential(self.client_id, secret),
            None => Client::public(self.client_id),
        };
        client = self.callbacks.into_iter().fold(client, Client::callback);
        client = self.sign_outs.into_iter().fold(client, Client::sign_out);
        Settings {
            listen: self.listen,
            region: self.region,
            pool_id: self.pool_id,
            issuer: self.issuer,
            clients: vec![client],
            users: self.users,
            lifetimes: Lifetimes {
                id_seconds: self.token_seconds,
                access_seconds: self.token_seconds,
                ..Lifetimes::default()
            },
            rotation: match self.rotate_refresh_tokens {
                true => RefreshRotation::On { grace_seconds: 0 },
                false => RefreshRotation::Off,
            },
            clock_offset_seconds: 0,
            control: if self.faults { Control::Open } else { Control::Closed },
        }
    }
}

fn parse_user(text: &str) -> Result<User, String> {
    let mut parts = text.splitn(3, ':');
    match (parts.next(), parts.next()) {
        (Some(name), Some(password)) if !name.is_empty() && !password.is_empty() => {
            let groups = parts.next().unwrap_or_default();
            Ok(User::new(name, password).groups(groups.split(',').filter(|group| !group.is_empty())))
        }
        _ => Err("expected name:password or name:password:group,group".to_owned()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let as_json = args.json;
    match serve(args.settings(), as_json).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(error.source(), |cause| cause.source());
            let causes: String = causes.map(|cause| format!(": {cause}")).collect();
            writeln!(std::io::stderr(), "dev-idp: {error}{causes}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: Settings, as_json: bool) -> Result<(), Box<dyn std::error::Error>> {
    // Before the first line is printed, so that a script may stop us as soon as it has read it.
    let stop = stop_signal()?;
    let idp = DevIdp::start(settings).await?;
    announce(&idp, as_json)?;
    stop.await;
    idp.shutdown().await;
    Ok(())
}

fn announce(idp: &Running, as_json: bool) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    if as_json {
        let line = json!({
            "url": idp.url(),
            "issuer": idp.issuer(),
            "jwks": idp.jwks_url(),
            "pid": std::process::id(),
        });
        writeln!(stdout, "{line}")?;
    } else {
        writeln!(stdout, "hosted UI  {}", idp.url())?;
        writeln!(stdout, "issuer     {}", idp.issuer())?;
        writeln!(stdout, "key set    {}", idp.jwks_url())?;
    }
    stdout.flush()
}

/// Completes at SIGTERM or Ctrl-C; both are caught from the call on.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Completes at Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        tokio::signal::ctrl_c().await.ok();
    })
}
