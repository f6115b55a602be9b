use std::io::Read as _;
use std::os::unix::net::UnixStream;

use super::*;

const MOST: usize = 1 << 20;

fn body(length: usize) -> Bytes {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[test]
fn what_is_sent_from_anywhere_is_what_stands_there() {
    let body = body(100_000);
    let copy = SealedCopy::of(&body, &Allowance::of(1), MOST).unwrap();
    for range in [0..100, 4_095..4_200, 99_990..100_000, 0..50_000] {
        let part = body.slice(range);
        let (to, mut from) = UnixStream::pair().unwrap();
        let mut rest = &part[..];
        while !rest.is_empty() {
            let position = copy.position(rest).unwrap();
            let count = copy.send(&to, position, rest.len()).unwrap();
            let mut read = vec![0; count];
            from.read_exact(&mut read).unwrap();
            assert_eq!(read, rest[..count]);
            rest = &rest[count..];
        }
    }
}

#[test]
fn only_the_memory_that_was_copied_has_a_place_in_the_copy() {
    let whole = body(30_000);
    let middle = whole.slice(10_000..20_000);
    let copy = SealedCopy::of(&middle, &Allowance::of(1), MOST).unwrap();
    assert_eq!(copy.position(&whole[10_000..20_000]), Some(0));
    assert_eq!(copy.position(&middle[9_999..]), Some(9_999));
    for outside in [
        &whole[9_999..10_001],
        &whole[19_999..20_001],
        &whole[20_001..],
        &whole[..1],
    ] {
        assert_eq!(copy.position(outside), None);
    }
    let elsewhere = Bytes::copy_from_slice(&middle);
    assert_eq!(copy.position(&elsewhere), None, "the same content elsewhere");
}

#[test]
fn copies_are_bounded_in_number_and_bytes_and_given_back() {
    let allowance = Allowance::of(2);
    let copy = |length| SealedCopy::of(&body(length), &allowance, MOST);
    let (one, two) = (copy(1_000), copy(1_000));
    assert!(one.is_some() && two.is_some() && copy(1_000).is_none());
    drop(two);
    assert!(copy(MOST - 999).is_none(), "a byte too many with the one that is there");
    assert!(copy(MOST - 1_000).is_some());
    drop(one);
    assert_eq!((allowance.files(), allowance.bytes.load(Ordering::Relaxed)), (0, 0));
}

#[test]
fn nobody_can_change_a_copy() {
    let copy = SealedCopy::of(&body(5_000), &Allowance::of(1), MOST).unwrap();
    assert!(copy.file.refuses_writes());
}
