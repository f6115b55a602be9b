//! What a page says to those who want to know more, in our four languages. Never a secret.
//!
//! Words of the provider, and codes, stand as they are in every language; they are escaped where they are shown.

use crate::token_endpoint::TokenError;

/// Why things are as the page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Explanation {
    /// The viewer's account is good, and not one of those that may pass.
    NotAmongThem,
    /// No rule admits anybody.
    Closed,
    /// The address has two readings.
    Unclear,
    /// A part of the callback's address stands there twice.
    RepeatedPart,
    /// A callback without a state.
    NoState,
    /// A callback with a state that is not ours.
    ForeignState,
    /// A callback without a code.
    NoCode,
    /// The sign-in's cookie was given to a later one.
    TooManySignIns,
    TooLate,
    /// The sign-in's cookie did not come back.
    CookieMissing,
    /// The cookie that notes the last use did not come back.
    UseNotKept,
    /// Each new session is out of its time.
    EachOutOfTime,
    /// Each new session's cookies are lost.
    EachLost,
    /// Each new session is refused.
    EachRefused,
    /// A callback from a provider that was not asked.
    OtherProvider,
    /// A session that answers another sign-in.
    OtherSignIn,
    /// A session that is not valid at this time.
    OutOfTime,
    /// A session that does not pass a check; this is its code.
    CheckFailed(&'static str),
    /// The session could not be renewed for the moment.
    NotRenewed,
    /// A reply without an id token.
    NoToken,
    /// What the provider told the callback.
    ProviderSays(String),
    ProviderRefused(String),
    ProviderStatus(u16),
    ProviderUnreachable(String),
    /// A reply of this media type.
    ProviderType(Option<String>),
    ProviderUnreadable,
}

/// The same text in each language; `{}` is what differs from case to case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) en: &'static str,
    pub(super) de: &'static str,
    pub(super) fr: &'static str,
    pub(super) es: &'static str,
}

impl From<&TokenError> for Explanation {
    fn from(error: &TokenError) -> Self {
        match error {
            TokenError::Call(error) => Self::ProviderUnreachable(error.to_string()),
            TokenError::ContentType(found) => Self::ProviderType(found.clone()),
            TokenError::Body => Self::ProviderUnreadable,
            TokenError::Refused { error: Some(error), .. } => Self::ProviderRefused(error.clone()),
            TokenError::Refused { status, error: None } => Self::ProviderStatus(*status),
        }
    }
}

impl Explanation {
    /// The text, in the language that is picked.
    pub(super) fn text(&self, pick: fn(&Row) -> &'static str) -> String {
        let text = pick(&self.row());
        match self.value() {
            Some(value) => text.replacen("{}", &value, 1),
            None => text.to_owned(),
        }
    }

    /// For the reference's page, which knows one language.
    pub(super) fn english(&self) -> String {
        self.text(|row| row.en)
    }

    fn value(&self) -> Option<String> {
        match self {
            Self::CheckFailed(code) => Some((*code).to_owned()),
            Self::ProviderSays(text) | Self::ProviderRefused(text) | Self::ProviderUnreachable(text) => {
                Some(text.clone())
            }
            Self::ProviderStatus(status) => Some(status.to_string()),
            Self::ProviderType(found) => Some(found.clone().unwrap_or_else(|| "-".to_owned())),
            _ => None,
        }
    }

    const fn row(&self) -> Row {
        match self {
            Self::NotAmongThem => Row {
                en: "Your account is not among those that this content is meant for.",
                de: "Ihr Konto gehört nicht zu denen, für die dieser Inhalt bestimmt ist.",
                fr: "Votre compte ne fait pas partie de ceux auxquels ce contenu est destiné.",
                es: "Su cuenta no está entre aquellas a las que se destina este contenido.",
            },
            Self::Closed => Row {
                en: "No rule of this site lets anybody see this address.",
                de: "Keine Regel dieser Website gibt diese Adresse für irgendjemanden frei.",
                fr: "Aucune règle de ce site ne permet à quiconque de voir cette adresse.",
                es: "Ninguna regla de este sitio permite a nadie ver esta dirección.",
            },
            Self::Unclear => Row {
                en: "The path of this address can be read in more than one way, and it depends on the way whether you may \
                     see what is there.",
                de: "Der Pfad dieser Adresse lässt sich auf mehr als eine Weise lesen, und davon hängt ab, ob Sie sehen \
                     dürfen, was dort steht.",
                fr: "Le chemin de cette adresse peut se lire de plusieurs façons, dont dépend votre droit de voir ce qui \
                     s’y trouve.",
                es: "La ruta de esta dirección puede leerse de más de una manera, y de ello depende si usted puede ver lo \
                     que hay.",
            },
            Self::RepeatedPart => Row {
                en: "The address carries one of its parts twice.",
                de: "Ein Teil der Adresse kommt in ihr zweimal vor.",
                fr: "L’adresse contient deux fois l’une de ses parties.",
                es: "La dirección contiene dos veces una de sus partes.",
            },
            Self::NoState => Row {
                en: "The sign-in service sent you here without saying for which sign-in.",
                de: "Der Anmeldedienst hat Sie hierher geschickt, ohne zu sagen, zu welcher Anmeldung das gehört.",
                fr: "Le service de connexion vous a envoyé ici sans indiquer de quelle connexion il s’agit.",
                es: "El servicio de inicio de sesión le envió aquí sin indicar a qué inicio de sesión corresponde.",
            },
            Self::ForeignState => Row {
                en: "The state in the address is not one of ours.",
                de: "Die Kennung (state) in der Adresse stammt nicht von dieser Website.",
                fr: "L’identifiant (state) dans l’adresse ne provient pas de ce site.",
                es: "El identificador (state) de la dirección no procede de este sitio.",
            },
            Self::NoCode => Row {
                en: "The address carries no code.",
                de: "Die Adresse enthält keinen Code.",
                fr: "L’adresse ne contient pas de code.",
                es: "La dirección no contiene ningún código.",
            },
            Self::TooManySignIns => Row {
                en: "Too many sign-ins were begun in this browser at once.",
                de: "In diesem Browser wurden zu viele Anmeldungen auf einmal begonnen.",
                fr: "Trop de connexions ont été commencées en même temps dans ce navigateur.",
                es: "Se comenzaron demasiados inicios de sesión a la vez en este navegador.",
            },
            Self::TooLate => Row {
                en: "Too much time has passed since this sign-in was begun.",
                de: "Seit dem Beginn dieser Anmeldung ist zu viel Zeit vergangen.",
                fr: "Trop de temps s’est écoulé depuis le début de cette connexion.",
                es: "Ha pasado demasiado tiempo desde que comenzó este inicio de sesión.",
            },
            Self::CookieMissing => Row {
                en: "Your browser did not send back the cookie that ties this sign-in to it. Cookies may be blocked for \
                     this site, as they are for sites shown inside others, or the sign-in was begun under another address.",
                de: "Ihr Browser hat das Cookie nicht zurückgeschickt, das diese Anmeldung an ihn bindet. Vielleicht sind \
                     Cookies für diese Website gesperrt, wie bei Websites, die in anderen angezeigt werden, oder die \
                     Anmeldung wurde unter einer anderen Adresse begonnen.",
                fr: "Votre navigateur n’a pas renvoyé le cookie qui lie cette connexion à lui. Les cookies sont peut-être \
                     bloqués pour ce site, comme ils le sont pour les sites affichés dans d’autres, ou la connexion a été \
                     commencée à une autre adresse.",
                es: "Su navegador no devolvió la cookie que vincula este inicio de sesión con él. Puede que las cookies \
                     estén bloqueadas para este sitio, como lo están para los que se muestran dentro de otros, o que el \
                     inicio de sesión comenzara en otra dirección.",
            },
            Self::UseNotKept => Row {
                en: "Your browser does not keep the cookie that says when you were last here. Cookies may be blocked for \
                     this site.",
                de: "Ihr Browser behält das Cookie nicht, das sagt, wann Sie zuletzt hier waren. Vielleicht sind Cookies \
                     für diese Website gesperrt.",
                fr: "Votre navigateur ne garde pas le cookie qui indique votre dernière visite. Les cookies sont peut-être \
                     bloqués pour ce site.",
                es: "Su navegador no guarda la cookie que indica cuándo estuvo aquí por última vez. Puede que las cookies \
                     estén bloqueadas para este sitio.",
            },
            Self::EachOutOfTime => Row {
                en: "Each new session counts as expired, or as not valid yet. Most likely this server's clock is wrong.",
                de: "Jede neue Sitzung gilt als abgelaufen oder als noch nicht gültig. Wahrscheinlich geht die Uhr dieses \
                     Servers falsch.",
                fr: "Chaque nouvelle session est considérée comme expirée ou pas encore valide. L’horloge de ce serveur est \
                     probablement déréglée.",
                es: "Cada sesión nueva se considera caducada o todavía no válida. Lo más probable es que el reloj de este \
                     servidor esté mal.",
            },
            Self::EachLost => Row {
                en: "Each sign-in works, but your browser does not send the session's cookies back. They may be blocked, \
                     meant for another domain, too large, or marked Secure on a site without https.",
                de: "Jede Anmeldung gelingt, aber Ihr Browser schickt die Cookies der Sitzung nicht zurück. Vielleicht sind \
                     sie gesperrt, für eine andere Domain bestimmt, zu groß, oder als Secure gekennzeichnet, obwohl die \
                     Website kein https verwendet.",
                fr: "Chaque connexion réussit, mais votre navigateur ne renvoie pas les cookies de la session. Ils sont \
                     peut-être bloqués, destinés à un autre domaine, trop grands, ou marqués Secure sur un site sans https.",
                es: "Cada inicio de sesión funciona, pero su navegador no devuelve las cookies de la sesión. Puede que estén \
                     bloqueadas, destinadas a otro dominio, que sean demasiado grandes o estén marcadas Secure en un sitio \
                     sin https.",
            },
            Self::EachRefused => Row {
                en: "Each sign-in works, but this site does not accept the session that comes of it.",
                de: "Jede Anmeldung gelingt, aber diese Website nimmt die Sitzung nicht an, die daraus entsteht.",
                fr: "Chaque connexion réussit, mais ce site n’accepte pas la session qui en résulte.",
                es: "Cada inicio de sesión funciona, pero este sitio no acepta la sesión resultante.",
            },
            Self::OtherProvider => Row {
                en: "The answer comes from another sign-in service than the one that was asked.",
                de: "Die Antwort kommt von einem anderen Anmeldedienst als dem, der gefragt wurde.",
                fr: "La réponse vient d’un autre service de connexion que celui qui a été sollicité.",
                es: "La respuesta procede de un servicio de inicio de sesión distinto del consultado.",
            },
            Self::OtherSignIn => Row {
                en: "The session that came back belongs to another sign-in.",
                de: "Die Sitzung, die zurückkam, gehört zu einer anderen Anmeldung.",
                fr: "La session reçue appartient à une autre connexion.",
                es: "La sesión recibida pertenece a otro inicio de sesión.",
            },
            Self::OutOfTime => Row {
                en: "The session that came back is not valid at this time. Most likely this server's clock is wrong.",
                de: "Die Sitzung, die zurückkam, ist zu dieser Zeit nicht gültig. Wahrscheinlich geht die Uhr dieses \
                     Servers falsch.",
                fr: "La session reçue n’est pas valide à cette heure. L’horloge de ce serveur est probablement déréglée.",
                es: "La sesión recibida no es válida en este momento. Lo más probable es que el reloj de este servidor esté \
                     mal.",
            },
            Self::CheckFailed(_) => Row {
                en: "The session that came back did not pass this site's checks: {}.",
                de: "Die Sitzung, die zurückkam, hat die Prüfungen dieser Website nicht bestanden: {}.",
                fr: "La session reçue n’a pas passé les contrôles de ce site : {}.",
                es: "La sesión recibida no superó las comprobaciones de este sitio: {}.",
            },
            Self::NotRenewed => Row {
                en: "The sign-in service could not be asked to renew your session. Try again in a moment.",
                de: "Der Anmeldedienst konnte nicht gebeten werden, Ihre Sitzung zu verlängern. Versuchen Sie es gleich \
                     noch einmal.",
                fr: "Le service de connexion n’a pas pu être sollicité pour prolonger votre session. Réessayez dans un \
                     instant.",
                es: "No se pudo pedir al servicio de inicio de sesión que renovara su sesión. Inténtelo de nuevo dentro de \
                     un momento.",
            },
            Self::NoToken => Row {
                en: "The sign-in service gave no usable id token.",
                de: "Der Anmeldedienst hat kein brauchbares ID-Token geliefert.",
                fr: "Le service de connexion n’a pas fourni de jeton d’identité utilisable.",
                es: "El servicio de inicio de sesión no proporcionó un token de identidad utilizable.",
            },
            Self::ProviderSays(_) => Row {
                en: "The sign-in service says: {}",
                de: "Der Anmeldedienst sagt: {}",
                fr: "Le service de connexion indique : {}",
                es: "El servicio de inicio de sesión dice: {}",
            },
            Self::ProviderRefused(_) => Row {
                en: "The sign-in service refused: {}",
                de: "Der Anmeldedienst hat abgelehnt: {}",
                fr: "Le service de connexion a refusé : {}",
                es: "El servicio de inicio de sesión rechazó la petición: {}",
            },
            Self::ProviderStatus(_) => Row {
                en: "The sign-in service answered with status {}",
                de: "Der Anmeldedienst hat mit Status {} geantwortet",
                fr: "Le service de connexion a répondu avec le statut {}",
                es: "El servicio de inicio de sesión respondió con el estado {}",
            },
            Self::ProviderUnreachable(_) => Row {
                en: "The sign-in service could not be reached: {}",
                de: "Der Anmeldedienst war nicht zu erreichen: {}",
                fr: "Le service de connexion n’a pas pu être joint : {}",
                es: "No se pudo contactar con el servicio de inicio de sesión: {}",
            },
            Self::ProviderType(_) => Row {
                en: "The sign-in service answered with something else than application/json: {}",
                de: "Der Anmeldedienst hat mit etwas anderem als application/json geantwortet: {}",
                fr: "Le service de connexion a répondu autre chose que application/json : {}",
                es: "El servicio de inicio de sesión respondió con algo distinto de application/json: {}",
            },
            Self::ProviderUnreadable => Row {
                en: "The sign-in service's answer was not readable",
                de: "Die Antwort des Anmeldedienstes war nicht lesbar",
                fr: "La réponse du service de connexion n’était pas lisible",
                es: "La respuesta del servicio de inicio de sesión no se pudo leer",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Explanation> {
        use Explanation::*;
        let text = || "x".to_owned();
        vec![
            NotAmongThem,
            Closed,
            Unclear,
            RepeatedPart,
            NoState,
            ForeignState,
            NoCode,
            TooManySignIns,
            TooLate,
            CookieMissing,
            UseNotKept,
            EachOutOfTime,
            EachLost,
            EachRefused,
            OtherProvider,
            OtherSignIn,
            OutOfTime,
            CheckFailed("x"),
            NotRenewed,
            NoToken,
            ProviderSays(text()),
            ProviderRefused(text()),
            ProviderStatus(500),
            ProviderUnreachable(text()),
            ProviderType(Some(text())),
            ProviderType(None),
            ProviderUnreadable,
        ]
    }

    #[test]
    fn every_explanation_is_there_in_every_language_with_its_value() {
        for explanation in all() {
            let Row { en, de, fr, es } = explanation.row();
            let texts = [en, de, fr, es];
            for (at, text) in texts.iter().enumerate() {
                assert!(texts[..at].iter().all(|other| other != text), "{text}");
                let places = text.matches("{}").count();
                assert_eq!(places, usize::from(explanation.value().is_some()), "{text}");
                assert!(!text.contains("  ") && text.trim() == *text, "{text}");
            }
        }
    }

    #[test]
    fn a_value_is_never_read_for_a_place_of_another() {
        let said = Explanation::ProviderSays("{} & {}".to_owned());
        assert_eq!(said.english(), "The sign-in service says: {} & {}");
    }
}
