//! What a decision costs: a known session, a first-seen one (RS256), none at all; and how often each allocates.
#![expect(clippy::print_stdout, reason = "the allocation counts are this bench's own output")]

use std::hint::black_box;

use auth_core::{Authenticator, Step};
use benches::{NOW, SystemEntropy, cookie_header, get, id_token, site};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn decide(auth: &Authenticator, cookies: &[&str]) -> Step {
    auth.begin(&get(black_box(cookies)), NOW, &mut SystemEntropy)
}

/// The signature alone, as ring computes it: what a first-seen session cannot go below.
fn verify_alone(criterion: &mut Criterion) {
    use ring::{
        rand::SystemRandom,
        signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
    };
    let pair = RsaKeyPair::from_pkcs8(&benches::signing_key()).ok();
    let Some(pair) = pair else { return };
    let message = [7; 800];
    let mut signature = vec![0; pair.public().modulus_len()];
    if pair
        .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature)
        .is_err()
    {
        return;
    }
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    criterion.bench_function("decide/rs256_alone", |bencher| {
        bencher.iter(|| key.verify(black_box(&message), black_box(&signature)));
    });
}

fn sessions(criterion: &mut Criterion) {
    let cookies = cookie_header(&id_token(0));
    let fields = [cookies.as_str()];
    println!("cookies: {} bytes", cookies.len());

    let known = site(1_000);
    let _ = decide(&known, &fields);
    criterion.bench_function("decide/known_session", |bencher| {
        bencher.iter(|| decide(&known, &fields))
    });

    criterion.bench_function("decide/unknown_session", |bencher| {
        // A site made for each decision has not seen the token; making it is not measured.
        bencher.iter_batched(|| site(16), |auth| decide(&auth, &fields), BatchSize::SmallInput);
    });

    criterion.bench_function("decide/no_session", |bencher| {
        bencher.iter(|| decide(&known, &["theme=dark"]))
    });

    let count = |name: &str, auth: &Authenticator, fields: &[&str]| {
        let counted = allocation_counter::measure(|| drop(black_box(decide(auth, fields))));
        println!(
            "{name}: {} allocations, {} bytes",
            counted.count_total, counted.bytes_total
        );
    };
    count("known session", &known, &fields);
    count("unknown session", &site(16), &fields);
    count("no session", &known, &["theme=dark"]);
}

criterion_group!(benches, sessions, verify_alone);
criterion_main!(benches);
