//! Near misses: of a text that is compared, and of a JSON object.

/// A text as it should be, and near it.
pub(super) fn around(right: &str) -> Vec<(&'static str, Option<String>)> {
    let text = |text: &str| Some(format!("{text:?}"));
    vec![
        ("as it should be", text(right)),
        ("not there", None),
        ("null", Some("null".to_owned())),
        ("a number", Some("7".to_owned())),
        ("true", Some("true".to_owned())),
        ("an object", Some("{}".to_owned())),
        ("an empty text", text("")),
        ("an empty list", Some("[]".to_owned())),
        ("a list of it", Some(format!("[{right:?}]"))),
        ("a list of it and another", Some(format!("[{right:?},\"other\"]"))),
        ("a list of others", Some("[\"a\",\"b\"]".to_owned())),
        ("a list with a number", Some(format!("[{right:?},7]"))),
        ("in upper case", text(&right.to_uppercase())),
        ("with a space before", text(&format!(" {right}"))),
        ("with a space behind", text(&format!("{right} "))),
        ("with a slash behind", text(&format!("{right}/"))),
        ("with more behind", text(&format!("{right}x"))),
        ("with less", text(&right[..right.len() - 1])),
        ("with a zero byte behind", Some(format!("\"{right}\\u0000\""))),
        (
            "in escapes",
            Some(format!("\"\\u{:04x}{}\"", u32::from(right.as_bytes()[0]), &right[1..])),
        ),
        ("another", text("other")),
    ]
}

/// What is no object, or no JSON.
pub(super) fn odd_json() -> Vec<(&'static str, Vec<u8>)> {
    let texts = [
        ("null", "null"),
        ("true", "true"),
        ("a number", "7"),
        ("a text", "\"x\""),
        ("a list", "[]"),
        ("a list of one object", r#"[{"alg":"RS256"}]"#),
        ("an empty object", "{}"),
        ("nothing but a space", " "),
        ("half an object", r#"{"alg":"RS256""#),
        ("single quotes", "{'alg':'RS256'}"),
        ("no quotes", "{alg:1}"),
        ("a name alone", r#"{"alg"}"#),
        ("two objects", "{}{}"),
    ];
    let texts = texts.map(|(name, text)| (name, text.as_bytes().to_vec()));
    let mut all = texts.to_vec();
    all.push(("bytes that are no text", vec![0xff, 0xfe, 0x80]));
    all
}

/// A good object with something odd in or around it.
pub(super) fn wrapped(object: &str) -> Vec<(&'static str, Vec<u8>)> {
    let inside = |more: &str| format!("{},{more}}}", &object[..object.len() - 1]).into_bytes();
    let mut all = vec![
        ("spaces around it", format!(" \t\r\n{object} \n").into_bytes()),
        ("a byte order mark", format!("\u{feff}{object}").into_bytes()),
        ("a no-break space around it", format!("\u{a0}{object}").into_bytes()),
        (
            "a comma behind",
            format!("{},}}", &object[..object.len() - 1]).into_bytes(),
        ),
        ("a comment", format!("{object}//x").into_bytes()),
        ("something behind", format!("{object}x").into_bytes()),
        ("a zero byte behind", format!("{object}\0").into_bytes()),
        ("in a list", format!("[{object}]").into_bytes()),
        ("twice", format!("{object}{object}").into_bytes()),
    ];
    for (name, more) in [
        ("not a number", r#""x":NaN"#),
        ("infinity", r#""x":Infinity"#),
        ("a number beyond all", r#""x":1e999"#),
        ("a number that begins with zero", r#""x":01"#),
        ("a number that begins with plus", r#""x":+1"#),
        ("a number in hexadecimal", r#""x":0x10"#),
        ("a number that ends with a point", r#""x":1."#),
        ("a large integer", r#""x":123456789012345678901234567890"#),
        ("half a surrogate", r#""x":"\ud800""#),
        ("the other half of a surrogate", r#""x":"\udc00""#),
        ("a whole surrogate pair", r#""x":"\ud83d\ude00""#),
        ("a zero byte in escapes", r#""x":"\u0000""#),
        ("an escape that is none", r#""x":"\q""#),
        ("a name that is half a surrogate", r#""\ud800":1"#),
        ("an empty name", r#""":1"#),
        ("a word in capitals", r#""x":TRUE"#),
        ("a line end in a text", "\"x\":\"a\nb\""),
        ("a tab in a text", "\"x\":\"a\tb\""),
    ] {
        all.push((name, inside(more)));
    }
    for (name, depth) in [("100 lists deep", 100), ("1000 lists deep", 1000)] {
        all.push((
            name,
            inside(&format!("\"x\":{}{}", "[".repeat(depth), "]".repeat(depth))),
        ));
    }
    let mut invalid = inside("\"x\":\"?\"");
    let at = invalid.iter().rposition(|&byte| byte == b'?').unwrap();
    invalid[at] = 0xff;
    all.push(("a byte that is no text", invalid));
    all
}
