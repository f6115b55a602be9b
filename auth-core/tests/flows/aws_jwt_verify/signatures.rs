//! Signatures that are wrong, and keys that are said to be for something else.

use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding};
use serde_json::{Value, json};

use super::corpus::{Corpus, SECOND, Use, good, good_header, header, join, public_jwk, signature, with};
use crate::fixture::{KID, base64, jwks};

impl Corpus {
    pub(super) fn signatures(&mut self) {
        let payload = good(Use::Id);
        let input = join(good_header(), &payload);
        let right = signature(&input, "signing-a", &RSA_PKCS1_SHA256);
        let mut add = |name: String, signature: &[u8]| {
            self.add(
                Use::Id,
                format_args!("signature: {name}"),
                format!("{input}.{}", base64(signature)),
            );
        };
        for at in [0, 1, 2, 31, 127, 128, 200, 253, 254, 255] {
            for bit in [0, 7] {
                let mut wrong = right.clone();
                wrong[at] ^= 1 << bit;
                add(format!("bit {bit} of byte {at} turned"), &wrong);
            }
        }
        add("one byte".to_owned(), &right[..1]);
        add("the first half".to_owned(), &right[..128]);
        add("a byte less".to_owned(), &right[..255]);
        add("without its first byte".to_owned(), &right[1..]);
        add("a byte more".to_owned(), &[&right[..], &[0]].concat());
        add("a zero byte before".to_owned(), &[&[0], &right[..]].concat());
        add("twice".to_owned(), &[&right[..], &right[..]].concat());
        add(
            "backwards".to_owned(),
            &right.iter().rev().copied().collect::<Vec<u8>>(),
        );
        add("zeros".to_owned(), &[0; 256]);
        add("ones".to_owned(), &[0xff; 256]);
        add("the number one".to_owned(), &[&[0; 255][..], &[1]].concat());
        add(
            "by another key".to_owned(),
            &signature(&input, "foreign", &RSA_PKCS1_SHA256),
        );
        add(
            "with SHA-384".to_owned(),
            &signature(&input, "signing-a", &RSA_PKCS1_SHA384),
        );
        add(
            "with SHA-512".to_owned(),
            &signature(&input, "signing-a", &RSA_PKCS1_SHA512),
        );
        let other = join(good_header(), with(Use::Id, "sub", Some("\"other\"")));
        add(
            "of another payload".to_owned(),
            &signature(&other, "signing-a", &RSA_PKCS1_SHA256),
        );
        let other = join(header(KID, r#","typ":"JWT""#), &payload);
        add(
            "of another header".to_owned(),
            &signature(&other, "signing-a", &RSA_PKCS1_SHA256),
        );
        add(
            "of the payload alone".to_owned(),
            &signature(&base64(payload.as_bytes()), "signing-a", &RSA_PKCS1_SHA256),
        );
        add(
            "of what is not encoded".to_owned(),
            &signature(&payload, "signing-a", &RSA_PKCS1_SHA256),
        );
        for alg in ["RS256", "PS256"] {
            let input = join(format!(r#"{{"alg":"{alg}","kid":"{KID}"}}"#), &payload);
            // Salted, so no two are alike: only what comes of it is recorded.
            let salted = signature(&input, "signing-a", &RSA_PSS_SHA256);
            let token = format!("{input}.{}", base64(&salted));
            self.add(Use::Id, format_args!("signature: RSA-PSS called {alg}"), token);
        }
        for (alg, encoding) in [
            ("RS384", &RSA_PKCS1_SHA384 as &'static dyn RsaEncoding),
            ("RS512", &RSA_PKCS1_SHA512),
        ] {
            let input = join(format!(r#"{{"alg":"{alg}","kid":"{KID}"}}"#), &payload);
            let token = format!("{input}.{}", base64(&signature(&input, "signing-a", encoding)));
            self.add(Use::Id, format_args!("signature: {alg} by a key for RS256"), token);
        }
    }

    /// What the pool says of its keys.
    pub(super) fn keys(&mut self) {
        let second = public_jwk("foreign");
        let by_second = |alg: &str, encoding: &'static dyn RsaEncoding| {
            let input = join(format!(r#"{{"alg":"{alg}","kid":"{SECOND}"}}"#), good(Use::Id));
            format!("{input}.{}", base64(&signature(&input, "foreign", encoding)))
        };
        let token = by_second("RS256", &RSA_PKCS1_SHA256);
        self.add(Use::Id, "keys: the second of several", token.clone());
        for (name, member, value) in [
            ("for encryption", "use", json!("enc")),
            ("for nothing that is said", "use", Value::Null),
            ("for signatures, in upper case", "use", json!("SIG")),
            ("of no type", "kty", Value::Null),
            ("of another type", "kty", json!("EC")),
            ("of a type in lower case", "kty", json!("rsa")),
            ("for RS512", "alg", json!("RS512")),
            ("for PS256", "alg", json!("PS256")),
            ("for any algorithm", "alg", Value::Null),
            ("without a modulus", "n", Value::Null),
            ("without an exponent", "e", Value::Null),
            ("with an empty modulus", "n", json!("")),
            ("with another exponent", "e", json!("Aw")),
            ("with a zero byte before its exponent", "e", json!("AAEAAQ")),
            ("with a modulus of no text", "n", json!(7)),
            ("with something unknown", "x", json!({"y": 1})),
            ("with what it may be used for", "key_ops", json!(["verify"])),
        ] {
            let mut key = second.clone();
            key.as_object_mut().unwrap().remove(member);
            if !value.is_null() {
                key[member] = value;
            }
            let keys = json!({"keys": [jwks()["keys"][0], key]});
            self.add_with(Use::Id, format_args!("keys: one {name}"), token.clone(), keys);
        }
        for (alg, encoding) in [
            ("RS384", &RSA_PKCS1_SHA384 as &'static dyn RsaEncoding),
            ("RS512", &RSA_PKCS1_SHA512),
        ] {
            let mut key = second.clone();
            key["alg"] = json!(alg);
            let keys = json!({"keys": [key]});
            self.add_with(
                Use::Id,
                format_args!("keys: one for {alg}, used for it"),
                by_second(alg, encoding),
                keys,
            );
        }
        for (name, first, last) in [
            ("the right one first", second.clone(), renamed(&jwks()["keys"][0])),
            ("the right one last", renamed(&jwks()["keys"][0]), second),
        ] {
            let keys = json!({"keys": [first, last]});
            self.add_with(
                Use::Id,
                format_args!("keys: two of one name, {name}"),
                token.clone(),
                keys,
            );
        }
        self.add_with(Use::Id, "keys: none", token, json!({"keys": []}));
    }
}

fn renamed(key: &Value) -> Value {
    let mut key = key.clone();
    key["kid"] = json!(SECOND);
    key
}
