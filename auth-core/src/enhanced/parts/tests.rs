use super::*;

fn value(length: usize, of: &str) -> String {
    of.repeat(length / of.len() + 1)[..length].to_owned()
}

fn field(cookies: &[(String, String)]) -> String {
    let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}

/// What is read of a cookie field, from each of its first cookies.
fn read(field: &str) -> Vec<Option<String>> {
    let fields = [field];
    let cookies = Cookies::new(&fields);
    let firsts = cookies.all().filter(|(name, _)| *name == "A");
    firsts
        .map(|(_, first)| join(cookies, "A", first).map(Cow::into_owned))
        .collect()
}

/// T-COOKIE-4
#[test]
fn t_cookie_4_a_value_of_any_length_comes_back_from_the_fewest_cookies_that_hold_it() {
    for (length, count) in [
        (1, 1),
        (3800, 1),
        (3801, 2),
        (7600, 2),
        (7601, 3),
        (11_400, 3),
        (11_401, 4),
        (15_200, 4),
    ] {
        let text = value(length, "abcdefg.");
        let cookies = split("A", &text).unwrap();
        assert_eq!(cookies.len(), count, "{length}");
        assert_eq!(read(&field(&cookies)), [Some(text)], "{length}");
        let shown = cookies.iter().map(|(name, value)| name.len() + value.len());
        assert!(shown.max().unwrap() < MOST_COOKIE_BYTES - 200, "{length}");
    }
    assert_eq!(split("A", &value(15_201, "a")), None);
    assert_eq!(split("A", &value(5000, "\u{e9}")), None);
}

/// T-COOKIE-4
#[test]
fn t_cookie_4_parts_of_two_generations_are_never_joined() {
    let (old, new) = (value(9000, "old"), value(8000, "new"));
    let (old_parts, new_parts) = (split("A", &old).unwrap(), split("A", &new).unwrap());
    for taken in 0..8 {
        let one = |index: usize| match taken & (1 << index) {
            0 => old_parts[index].clone(),
            _ => new_parts[index].clone(),
        };
        let mixed = [one(0), one(1), one(2)];
        let expected = match taken {
            0 => Some(old.clone()),
            7 => Some(new.clone()),
            _ => None,
        };
        assert_eq!(read(&field(&mixed)), [expected], "{taken:b}");
    }
}

/// T-COOKIE-1: two paths' cookies come in one field, in either order.
#[test]
fn t_cookie_1_each_first_cookie_finds_its_own_parts_among_those_of_others() {
    let (old, new) = (value(9000, "old"), value(8000, "new"));
    let (old_parts, new_parts) = (split("A", &old).unwrap(), split("A", &new).unwrap());
    let field = field(&[old_parts.clone(), new_parts, old_parts].concat());
    assert_eq!(read(&field), [Some(old.clone()), Some(new), Some(old)]);
}

/// T-COOKIE-4
#[test]
fn t_cookie_4_a_missing_part_is_no_value_and_one_too_many_changes_nothing() {
    let text = value(9000, "abc");
    let parts = split("A", &text).unwrap();
    for missing in 1..3 {
        let mut fewer = parts.clone();
        fewer.remove(missing);
        assert_eq!(read(&field(&fewer)), [None]);
    }
    let more = [parts.clone(), vec![("A.3".to_owned(), parts[2].1.clone())]].concat();
    assert_eq!(read(&field(&more)), [Some(text)]);
    let whole = [vec![("A".to_owned(), "short".to_owned())], parts[1..].to_vec()].concat();
    assert_eq!(read(&field(&whole)), [Some("short".to_owned())]);
}

/// T-COOKIE-4: a number of parts that we never write asks for no work; the cookie is what it says.
#[test]
fn t_cookie_4_what_only_looks_like_a_first_part_stands_for_itself() {
    let part = value(PART_BYTES, "a");
    for text in [
        format!("99999999~abcdef~{part}"),
        format!("9~abcdef~{part}"),
        format!("1~abcdef~{part}"),
        format!("0~abcdef~{part}"),
        format!("+~abcdef~{part}"),
        format!("2~abcdef~{part}a"),
        format!("2~abcde~{part}"),
        "2~abcdef~".to_owned(),
        "2~".to_owned(),
        "2".to_owned(),
        String::new(),
        "\u{e9}~abcdef~".to_owned(),
    ] {
        assert_eq!(read(&format!("A={text}")), [Some(text.clone())]);
    }
    for name in ["A.0", "A.4", "A.10", "A.01", "A.+1", "A.", "A", "B.1", "A1"] {
        assert!(!is_part_of(name, "A"), "{name}");
    }
    assert!(further_names("A").all(|name| is_part_of(&name, "A")));
}
