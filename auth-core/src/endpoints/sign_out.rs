//! The sign-out path: forgets the session here and ends it at the hosted UI.

use super::redirect::redirect;
use crate::{
    Reason, Request, Step,
    authenticator::Authenticator,
    cookie_names::Token,
    cookies::Cookies,
    jwt::UnverifiedIdToken,
    page::{Page, PageKind},
    set_cookie::{CookieWriter, cookie_user},
};

pub(crate) fn begin(auth: &Authenticator, request: &Request<'_>) -> Step {
    let config = auth.config();
    let cookies = Cookies::new(request.cookies);
    let landing = format!("{}{}", request.origin(), config.signed_out_path);
    let Some(id_token) = config.cookie_scheme.token(Token::Id, cookies) else {
        return Page {
            kind: PageKind::SignedOut,
            reason: Reason::AlreadySignedOut,
            details: "",
            link: &landing,
        }
        .respond(config);
    };
    // A token that cannot be read must not keep its viewer from signing out: then the names under
    // which the cookies came say whose they are.
    let user = UnverifiedIdToken::decode(&id_token)
        .and_then(|decoded| cookie_user(&config.cookie_scheme, &decoded).ok())
        .unwrap_or_else(|| config.cookie_scheme.user_in(cookies).into_owned());
    let elsewhere = config.endpoints.sign_out_url(&config.client_id, &landing, None);
    redirect(
        config,
        elsewhere.unwrap_or(landing),
        CookieWriter::sign_out(config, &user),
        Reason::SignedOut,
    )
}
