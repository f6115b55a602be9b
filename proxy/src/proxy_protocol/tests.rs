use proptest::{collection::vec, prelude::*};

use super::*;

fn viewer(text: &str, length: usize) -> Result<Parsed, HeaderError> {
    Ok(Parsed::Complete {
        source: Source::Viewer(text.parse().unwrap()),
        length,
    })
}

const fn peer(length: usize) -> Result<Parsed, HeaderError> {
    Ok(Parsed::Complete {
        source: Source::Peer,
        length,
    })
}

fn v2(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = SIGNATURE.to_vec();
    header.extend([command, family]);
    header.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    header.extend(payload);
    header
}

const V4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0x04, 0xd2, 0x01, 0xbb];

#[test]
fn lines_of_version_1_name_the_viewer() {
    let line = b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 443\r\nGET / HTTP/1.1\r\n";
    assert_eq!(parse(line), viewer("192.0.2.7:1234", 40));
    let line = b"PROXY TCP6 2001:db8::7 ::1 1234 443\r\n";
    assert_eq!(parse(line), viewer("[2001:db8::7]:1234", line.len()));
    assert_eq!(parse(b"PROXY UNKNOWN\r\n"), peer(15));
    assert_eq!(parse(b"PROXY UNKNOWN what ever 1 2\r\n"), peer(29));
}

#[test]
fn lines_that_are_wrong_are_refused() {
    for line in [
        "PROXY TCP4 192.0.2.7 10.0.0.1 1234\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 1234 443 5\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 1234 443\n",
        "PROXY TCP4  192.0.2.7 10.0.0.1 1234 443\r\n",
        "PROXY TCP4 192.0.2.007 10.0.0.1 1234 443\r\n",
        "PROXY TCP4 2001:db8::7 ::1 1234 443\r\n",
        "PROXY TCP6 192.0.2.7 10.0.0.1 1234 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 01234 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 +1234 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n",
        "PROXY UDP4 192.0.2.7 10.0.0.1 1234 443\r\n",
        "PROXY \r\n",
    ] {
        assert_eq!(parse(line.as_bytes()), Err(HeaderError::Line), "{line:?}");
    }
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
    assert_eq!(parse(long.as_bytes()), Err(HeaderError::Line));
}

#[test]
fn version_2_names_the_viewer_and_its_extensions_are_read_over() {
    assert_eq!(parse(&v2(0x21, 0x11, &V4)), viewer("192.0.2.7:1234", 28));
    let with_tlv = [&V4[..], &[0x04, 0, 3, 1, 2, 3]].concat();
    assert_eq!(parse(&v2(0x21, 0x11, &with_tlv)), viewer("192.0.2.7:1234", 34));
    let mut v6 = vec![0; 36];
    v6[15] = 1;
    v6[33] = 80;
    assert_eq!(parse(&v2(0x21, 0x21, &v6)), viewer("[::1]:80", 52));
}

#[test]
fn a_local_connection_is_the_peer_s_own() {
    assert_eq!(parse(&v2(0x20, 0x00, &[])), peer(16));
    assert_eq!(parse(&v2(0x20, 0x11, &V4)), peer(28));
    assert_eq!(parse(&v2(0x21, 0x00, &[])), peer(16));
}

#[test]
fn version_2_is_taken_at_its_word_only() {
    for (command, family, payload) in [
        (0x22, 0x11, &V4[..]),
        (0x11, 0x11, &V4[..]),
        (0x21, 0x11, &V4[..11]),
        (0x21, 0x21, &V4[..]),
        (0x21, 0x12, &V4[..]),
        (0x21, 0x31, &V4[..]),
    ] {
        assert_eq!(
            parse(&v2(command, family, payload)),
            Err(HeaderError::Binary),
            "{command:x} {family:x}"
        );
    }
    assert_eq!(
        parse(&v2(0x21, 0x11, &[0; LONGEST_BINARY + 1])),
        Err(HeaderError::Binary)
    );
}

#[test]
fn what_is_no_header_is_known_from_the_first_byte() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x16\x03\x01",
        b"PRI * HTTP/2.0",
        b"\r\n\r\n\r",
    ] {
        assert_eq!(parse(bytes), Err(HeaderError::Missing), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn a_header_is_found_however_little_of_it_has_come(port: u16, more in vec(any::<u8>(), 0..40)) {
        for header in [
            format!("PROXY TCP4 192.0.2.7 10.0.0.1 {port} 443\r\n").into_bytes(),
            v2(0x21, 0x11, &[&V4[..8], &port.to_be_bytes(), &[0, 80]].concat()),
        ] {
            let expected = viewer(&format!("192.0.2.7:{port}"), header.len());
            for end in 0..header.len() {
                prop_assert_eq!(parse(&header[..end]), Ok(Parsed::Incomplete));
            }
            prop_assert_eq!(parse(&[&header[..], &more].concat()), expected);
        }
    }

    #[test]
    fn nothing_makes_it_read_beyond_its_limits(bytes in vec(any::<u8>(), 0..200), start in 0..3) {
        let start: &[u8] = [&b""[..], b"PROXY TCP4 ", &SIGNATURE][start as usize];
        let bytes = [start, &bytes].concat();
        if let Ok(Parsed::Complete { length, .. }) = parse(&bytes) {
            prop_assert!(length <= bytes.len() && length <= LONGEST);
        }
    }
}
