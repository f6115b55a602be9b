//! Viewers on plain http who are to use https: sent there before anything is decided about them, so that no
//! session and no sign-in is ever carried in the clear further than their first request.

use auth_core::Scheme;
use pingora::{
    Result,
    http::{RequestHeader, ResponseHeader},
};

use crate::{
    admission::{Admitted, raw_target},
    config::HttpViewers,
    exchange::Exchange,
    header_value,
};

/// The redirect for a request that came over http to a site that wants https. Path and query are byte for byte
/// the viewer's; the port is left out, since a port that speaks http does not speak https.
pub(super) fn redirect(
    request: &RequestHeader,
    admitted: &Admitted,
    exchange: &Exchange,
) -> Result<Option<ResponseHeader>> {
    let viewers = exchange.site.as_ref().map(|site| site.http_viewers).unwrap_or_default();
    if viewers == HttpViewers::Served || admitted.spoken == Scheme::Https {
        return Ok(None);
    }
    let host = match admitted.port {
        Some(_) => admitted.host.rsplit_once(':').map_or("", |(name, _)| name),
        None => &admitted.host,
    };
    let location = format!("https://{host}{}", raw_target(request));
    let mut header = ResponseHeader::build(viewers.redirect_status(&request.method), Some(8))?;
    header.insert_header("Location", header_value::encode(&location))?;
    header.insert_header("Content-Length", "0")?;
    Ok(Some(header))
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn the_method_is_kept_where_it_matters_except_at_the_edge() {
        for (method, proxy) in [
            (Method::GET, 301),
            (Method::HEAD, 301),
            (Method::POST, 308),
            (Method::PUT, 308),
        ] {
            assert_eq!(
                HttpViewers::Redirected.redirect_status(&method).as_u16(),
                proxy,
                "{method}"
            );
            assert_eq!(
                HttpViewers::RedirectedAsAtEdge.redirect_status(&method).as_u16(),
                301,
                "{method}"
            );
        }
    }
}
