//! What the pages say in German, French and Spanish; the English words stand with the pages' kinds, but for
//! what the enhanced profile says otherwise.

use super::{super::explanation::Row, Labels, Wording};
use crate::page::PageKind;

/// One language.
#[derive(Debug)]
pub(crate) struct Language {
    pub(in super::super) code: &'static str,
    pub(in super::super) labels: Labels,
    /// Its text among those of an explanation.
    pub(in super::super) pick: fn(&Row) -> &'static str,
    pub(super) pages: &'static [(PageKind, Wording<'static>)],
}

pub(super) const LANGUAGES: [&Language; 4] = [&ENGLISH, &GERMAN, &FRENCH, &SPANISH];

pub(super) const ENGLISH: Language = Language {
    code: "en",
    labels: Labels {
        details: "Details",
        code: "Code",
        request: "Request",
        signed_in_as: "You are signed in as",
    },
    pick: |row| row.en,
    pages: &[(
        PageKind::SignedOut,
        says("Signed out", "You are signed out.", "Sign in again"),
    )],
};

const fn says(title: &'static str, message: &'static str, link: &'static str) -> Wording<'static> {
    Wording { title, message, link }
}

const GERMAN: Language = Language {
    code: "de",
    labels: Labels {
        details: "Einzelheiten",
        code: "Code",
        request: "Anfrage",
        signed_in_as: "Sie sind angemeldet als",
    },
    pick: |row| row.de,
    pages: &[
        (
            PageKind::NotAuthorized,
            says(
                "Kein Zugriff",
                "Sie sind angemeldet, aber Ihr Konto hat keinen Zugriff auf diesen Inhalt.",
                "Anderes Konto verwenden",
            ),
        ),
        (
            PageKind::SignInIssue,
            says(
                "Anmeldung nicht gelungen",
                "Bei der Anmeldung ist etwas schiefgegangen. Oft hilft es, sie zu wiederholen.",
                "Noch einmal versuchen",
            ),
        ),
        (
            PageKind::ProviderIssue,
            says(
                "Anmeldedienst gestört",
                "Der Anmeldedienst antwortet zurzeit nicht wie erwartet. An Ihnen liegt es nicht. Bitte versuchen Sie \
                 es gleich noch einmal.",
                "Noch einmal versuchen",
            ),
        ),
        (
            PageKind::SignInLoop,
            says(
                "Die Anmeldung beginnt immer wieder von vorn",
                "Ihr Browser hat sich mehrmals in einer Minute angemeldet, und dennoch erkennt diese Website Sie \
                 nicht. Prüfen Sie, ob Cookies erlaubt sind, und versuchen Sie es in einer Minute noch einmal.",
                "Noch einmal versuchen",
            ),
        ),
        (
            PageKind::RefreshIssue,
            says(
                "Sitzung nicht verlängert",
                "Ihre Sitzung ist abgelaufen und ließ sich nicht verlängern. Melden Sie sich ab und wieder an.",
                "Abmelden",
            ),
        ),
        (
            PageKind::SignedOut,
            says("Abgemeldet", "Sie sind abgemeldet.", "Wieder anmelden"),
        ),
        (
            PageKind::NotAvailable,
            says(
                "Nicht verfügbar",
                "Unter dieser Adresse gibt es nichts zu sehen, ob angemeldet oder nicht.",
                "Zur Startseite",
            ),
        ),
        (
            PageKind::UnclearAddress,
            says(
                "Unklare Adresse",
                "Diese Adresse ist auf eine Weise geschrieben, die hier nicht angenommen wird.",
                "Zur Startseite",
            ),
        ),
    ],
};

const FRENCH: Language = Language {
    code: "fr",
    labels: Labels {
        details: "Détails",
        code: "Code",
        request: "Requête",
        signed_in_as: "Vous êtes connecté en tant que",
    },
    pick: |row| row.fr,
    pages: &[
        (
            PageKind::NotAuthorized,
            says(
                "Accès refusé",
                "Vous êtes connecté, mais votre compte n’a pas accès à ce contenu.",
                "Utiliser un autre compte",
            ),
        ),
        (
            PageKind::SignInIssue,
            says(
                "La connexion a échoué",
                "Un problème est survenu pendant la connexion. Réessayer suffit souvent.",
                "Réessayer",
            ),
        ),
        (
            PageKind::ProviderIssue,
            says(
                "Service de connexion perturbé",
                "Le service de connexion ne répond pas comme prévu. Vous n’y êtes pour rien. Réessayez dans un instant.",
                "Réessayer",
            ),
        ),
        (
            PageKind::SignInLoop,
            says(
                "La connexion recommence sans cesse",
                "Votre navigateur s’est connecté plusieurs fois en une minute, et ce site ne vous reconnaît toujours \
                 pas. Vérifiez que les cookies sont autorisés, puis réessayez dans une minute.",
                "Réessayer",
            ),
        ),
        (
            PageKind::RefreshIssue,
            says(
                "Session non prolongée",
                "Votre session a expiré et n’a pas pu être prolongée. Déconnectez-vous, puis reconnectez-vous.",
                "Se déconnecter",
            ),
        ),
        (
            PageKind::SignedOut,
            says("Déconnecté", "Vous êtes déconnecté.", "Se reconnecter"),
        ),
        (
            PageKind::NotAvailable,
            says(
                "Indisponible",
                "Il n’y a rien à voir à cette adresse, que vous soyez connecté ou non.",
                "Aller à l’accueil",
            ),
        ),
        (
            PageKind::UnclearAddress,
            says(
                "Adresse ambiguë",
                "Cette adresse est écrite d’une manière qui n’est pas acceptée ici.",
                "Aller à l’accueil",
            ),
        ),
    ],
};

const SPANISH: Language = Language {
    code: "es",
    labels: Labels {
        details: "Detalles",
        code: "Código",
        request: "Solicitud",
        signed_in_as: "Ha iniciado sesión como",
    },
    pick: |row| row.es,
    pages: &[
        (
            PageKind::NotAuthorized,
            says(
                "Sin acceso",
                "Ha iniciado sesión, pero su cuenta no tiene acceso a este contenido.",
                "Usar otra cuenta",
            ),
        ),
        (
            PageKind::SignInIssue,
            says(
                "No se pudo iniciar sesión",
                "Algo falló al iniciar la sesión. Muchas veces basta con intentarlo de nuevo.",
                "Intentar de nuevo",
            ),
        ),
        (
            PageKind::ProviderIssue,
            says(
                "El servicio de acceso tiene problemas",
                "El servicio de acceso no responde como se espera. No es culpa suya. Inténtelo de nuevo en un momento.",
                "Intentar de nuevo",
            ),
        ),
        (
            PageKind::SignInLoop,
            says(
                "El inicio de sesión vuelve a empezar una y otra vez",
                "Su navegador ha iniciado sesión varias veces en un minuto y este sitio sigue sin reconocerle. \
                 Compruebe que las cookies estén permitidas e inténtelo de nuevo dentro de un minuto.",
                "Intentar de nuevo",
            ),
        ),
        (
            PageKind::RefreshIssue,
            says(
                "Sesión no renovada",
                "Su sesión ha caducado y no se pudo renovar. Cierre la sesión y vuelva a iniciarla.",
                "Cerrar sesión",
            ),
        ),
        (
            PageKind::SignedOut,
            says("Sesión cerrada", "Ha cerrado la sesión.", "Iniciar sesión de nuevo"),
        ),
        (
            PageKind::NotAvailable,
            says(
                "No disponible",
                "No hay nada que ver en esta dirección, haya iniciado sesión o no.",
                "Ir al inicio",
            ),
        ),
        (
            PageKind::UnclearAddress,
            says(
                "Dirección poco clara",
                "Esta dirección está escrita de un modo que aquí no se acepta.",
                "Ir al inicio",
            ),
        ),
    ],
};
