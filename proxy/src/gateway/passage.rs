//! A request that may pass: on its way to the cache, a file, or the origin.

use auth_core::Forward;
use http::StatusCode;
use pingora::{Result, proxy::Session};

use super::{Gateway, answer, cached, compressed, failure, fetch, upstream};
use crate::{
    admission, config::Conduct, exchange::Exchange, identity::About, metrics::Verdict, origin::Origin, request_id,
};

impl Gateway {
    /// Removes what no origin may see; answers at once where the content is at hand.
    pub(super) async fn prepare_forward(
        &self,
        session: &mut Session,
        exchange: &mut Exchange,
        forward: Forward,
    ) -> Result<bool> {
        let (Some(site), Some(behaviour)) = (exchange.site.clone(), exchange.behaviour.clone()) else {
            return Err(failure::internal("a request without a behaviour"));
        };
        exchange.response_cookies = forward.response_cookies;
        if exchange.passed.is_none() {
            exchange.verdict = Verdict::Refused;
            exchange.reason = "path";
            answer::refuse(session, exchange, StatusCode::BAD_REQUEST).await?;
            return Ok(true);
        }
        if !behaviour.methods.contain(&session.req_header().method) {
            answer::write_page(session, exchange, StatusCode::METHOD_NOT_ALLOWED).await?;
            return Ok(true);
        }
        admission::scrub(session.req_header_mut(), &site.identity);
        compressed::choose(session, exchange, &behaviour);
        if cached::answer_from_cache(session, exchange, &behaviour).await? {
            return Ok(true);
        }
        let request = session.req_header_mut();
        match behaviour.origin.origin {
            Origin::Directory(_) | Origin::Nothing => {
                upstream::serve_file(session, exchange).await?;
                return Ok(true);
            }
            Origin::Custom(_) => {
                if site.conduct == Conduct::Proxy {
                    crate::cookies::strip_own(request);
                    if !exchange.cached.is_anonymous {
                        exchange.identity = site.identity.fields(About {
                            access: &forward.access,
                            reason: forward.reason,
                            request_id: &exchange.id,
                            now: self.0.clock.now(),
                        });
                    }
                    request.insert_header(request_id::HEADER, exchange.id.as_str())?;
                }
            }
            Origin::S3(_) => {}
        }
        if fetch::is_usual(session, exchange) {
            self.fetch(session, exchange).await?;
            return Ok(true);
        }
        Ok(false)
    }
}
