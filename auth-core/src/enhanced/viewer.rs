//! What is kept of a request that cannot simply pass, while calls are under way.

use super::{audience::Audience, cors::Cors, host_cookie::Host, way_back};
use crate::{
    Request, authenticator::Authenticator, cookie_names::REFRESH_MARKER, cookies::Cookies,
    endpoints::check as reference, js::percent::encode_component,
};

/// The request's own copy of what an answer depends on. No Debug form: it holds cookies.
#[derive(Clone)]
pub(crate) struct Viewer {
    /// `scheme://host`.
    pub(crate) origin: String,
    /// Path and query as they were sent.
    pub(crate) requested_uri: String,
    pub(crate) audience: Audience,
    pub(crate) host: Host,
    /// Of a redirect that is to be followed by a GET: whoever posted must not post to where it leads.
    pub(crate) redirect_status: u16,
    /// What a page of another origin is allowed.
    pub(crate) cors: Cors,
    /// Accept-Language, all of it.
    pub(crate) languages: String,
    /// What the log knows the request by, if the adapter says so.
    pub(crate) request_id: Option<String>,
    /// Where a sign-in leads back to that this program's user begins.
    pub(crate) way_back: Option<String>,
    fields: Vec<String>,
}

impl Viewer {
    pub(crate) fn of(auth: &Authenticator, request: &Request<'_>) -> Self {
        let config = auth.config();
        let enhanced = config.enhanced.as_deref();
        let (audience, cors) = match enhanced {
            Some(enhanced) if enhanced.api.covers(request.path) => (Audience::Program, enhanced.cors.of(request)),
            Some(enhanced) if enhanced.api.is_on => (Audience::of(request), enhanced.cors.of(request)),
            _ => (Audience::Person, Cors::default()),
        };
        let way_back = match (audience, enhanced) {
            (Audience::Program, Some(enhanced)) => way_back::of(config, enhanced, request),
            _ => None,
        };
        Self {
            way_back,
            origin: request.origin(),
            requested_uri: request.target(),
            audience,
            cors,
            host: Host::of(request),
            redirect_status: match request.method {
                "GET" | "HEAD" => 302,
                _ => 303,
            },
            languages: request.headers.get_all("accept-language").join(","),
            request_id: request
                .header("x-request-id")
                .filter(|id| id.len() <= 128)
                .map(str::to_owned),
            fields: request.cookies.iter().map(|&field| field.to_owned()).collect(),
        }
    }

    /// The address of a path of ours, whatever it says: it stands behind scheme and host, and what no header may hold
    /// is encoded (T-REDIR-5). A valid request target comes out byte for byte.
    pub(crate) fn address(&self, target: &str) -> String {
        let mut address = self.origin.clone();
        if !target.starts_with('/') {
            address.push('/');
        }
        for c in target.chars() {
            match c {
                '!'..='~' => address.push(c),
                c => address.push_str(&encode_component(c.encode_utf8(&mut [0; 4]))),
            }
        }
        address
    }

    /// A request that only a program makes, whatever its headers say.
    pub(crate) fn for_program(auth: &Authenticator, request: &Request<'_>) -> Self {
        let way_back = auth.config().enhanced.as_deref();
        Self {
            audience: Audience::Program,
            way_back: way_back.and_then(|enhanced| way_back::of(auth.config(), enhanced, request)),
            ..Self::of(auth, request)
        }
    }

    /// The path as it was sent.
    pub(crate) fn path(&self) -> &str {
        self.requested_uri.split('?').next().unwrap_or_default()
    }

    /// As the reference's answers take it.
    pub(crate) fn as_reference(&self) -> reference::Viewer {
        reference::Viewer {
            origin: self.origin.clone(),
            requested_uri: self.requested_uri.clone(),
            refresh_failed: self.refresh_failed(),
        }
    }

    /// Whether the provider refused this browser's refresh token before.
    pub(crate) fn refresh_failed(&self) -> bool {
        self.with_cookies(|cookies| cookies.get_non_empty(REFRESH_MARKER).is_some())
    }

    /// Reads the cookies, which borrow from each other's container.
    pub(crate) fn with_cookies<T>(&self, read: impl FnOnce(Cookies<'_>) -> T) -> T {
        let fields: Vec<&str> = self.fields.iter().map(String::as_str).collect();
        read(Cookies::new(&fields))
    }
}
