//! Zip files that are the same bytes whenever and wherever they are written.
//!
//! Entries are sorted by name, carry one fixed time and a mode, and nothing else. Compressed by Zopfli,
//! which is plain deflate to whoever unpacks it.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Seek, Write},
};

use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// Levels above deflate's nine are Zopfli's rounds. Further ones gain less than a thousandth.
const ZOPFLI_15_ROUNDS: i64 = 9 + 15;

/// A file in a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its permissions: 0o755 or 0o644.
    pub mode: u32,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// A file that is read.
    #[must_use]
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self {
            mode: 0o644,
            bytes: text.into(),
        }
    }

    /// A file that is run.
    #[must_use]
    pub fn program(bytes: &[u8]) -> Self {
        Self {
            mode: 0o755,
            bytes: bytes.to_owned(),
        }
    }
}

/// Files by name.
pub type Entries = BTreeMap<String, Entry>;

/// Packs files.
///
/// # Errors
/// What the zip library says.
pub fn pack(entries: &Entries) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, entry) in entries {
        add(&mut zip, name, entry)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Reads a package.
///
/// # Errors
/// When it is not a zip file.
pub fn open(packed: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>, ZipError> {
    ZipArchive::new(Cursor::new(packed))
}

/// Packs the files of `packed` again with others among them, without compressing what is compressed.
///
/// # Errors
/// When `packed` is not a zip file.
pub fn extend(packed: &[u8], others: &Entries) -> Result<Vec<u8>, ZipError> {
    let mut packed = open(packed)?;
    let mut names = names(&packed)?;
    names.extend(others.keys().cloned());
    names.sort();
    names.dedup();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        match others.get(&name) {
            Some(entry) => add(&mut zip, &name, entry)?,
            None => zip.raw_copy_file(packed.by_name(&name)?)?,
        }
    }
    Ok(zip.finish()?.into_inner())
}

/// The names of the files in a package.
///
/// # Errors
/// When a name cannot be read.
pub fn names<R>(packed: &ZipArchive<R>) -> Result<Vec<String>, ZipError>
where
    R: Read + Seek,
{
    packed.file_names().map(|name| Ok(name?.into_owned())).collect()
}

fn add(zip: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, entry: &Entry) -> Result<(), ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(ZOPFLI_15_ROUNDS))
        // The earliest that the format knows: 1 January 1980.
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(entry.mode);
    zip.start_file(name, options)?;
    zip.write_all(&entry.bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Entries {
        [
            ("shim.py", Entry::text("import start\n")),
            ("bootstrap", Entry::program(&[7; 5000])),
        ]
        .map(|(name, entry)| (name.to_owned(), entry))
        .into()
    }

    #[test]
    fn packing_twice_gives_the_same_bytes() {
        assert_eq!(pack(&entries()).unwrap(), pack(&entries()).unwrap());
    }

    #[test]
    fn a_package_holds_names_modes_and_contents_in_order_with_one_fixed_time() {
        let packed = pack(&entries()).unwrap();
        let mut zip = ZipArchive::new(Cursor::new(packed)).unwrap();
        let mut seen = Vec::new();
        for index in 0..zip.len() {
            let mut file = zip.by_index(index).unwrap();
            assert_eq!(file.last_modified(), Some(DateTime::default()));
            assert_eq!(file.compression(), CompressionMethod::Deflated);
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            seen.push((
                file.name().unwrap().into_owned(),
                file.unix_mode().unwrap() & 0o777,
                bytes,
            ));
        }
        assert_eq!(
            seen,
            [
                ("bootstrap".to_owned(), 0o755, vec![7; 5000]),
                ("shim.py".to_owned(), 0o644, b"import start\n".to_vec()),
            ]
        );
    }

    #[test]
    fn extending_a_package_gives_what_packing_all_at_once_gives() {
        let added: Entries = [("configuration.json".to_owned(), Entry::text("{}"))].into();
        let mut all = entries();
        all.extend(added.clone());
        let extended = extend(&pack(&entries()).unwrap(), &added).unwrap();
        assert_eq!(extended, pack(&all).unwrap());
        assert_eq!(extend(&extended, &added).unwrap(), extended);
    }
}
