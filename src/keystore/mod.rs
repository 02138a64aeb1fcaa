//! Keys for encrypted segments, from a keystore or a file of hexadecimal text.
//!
//! Cassandra finds its keys through `transparent_data_encryption_options` of cassandra.yaml: a Java keystore
//! (JCEKS or PKCS#12) and an alias, which stands in every encrypted segment's descriptor.

mod hex_file;
mod java_object;
mod jceks;
#[cfg(feature = "pkcs12")]
mod pkcs12;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// No keystore or key file is longer.
const LONGEST_FILE: u64 = 4 << 20;
const JCEKS_MAGIC: [u8; 4] = [0xCE; 4];
const JKS_MAGIC: [u8; 4] = [0xFE, 0xED, 0xFE, 0xED];
/// A DER sequence: how PKCS#12 begins.
const DER_SEQUENCE: u8 = 0x30;

/// Bytes that are wiped when they are dropped.
type Secret = Zeroizing<Vec<u8>>;

/// AES keys by alias. Wiped when dropped, and never shown.
pub struct CommitLogKeys {
    /// In lower case: keystores do not tell cases apart.
    by_alias: BTreeMap<String, Secret>,
    /// For every other alias.
    any: Option<Secret>,
    warnings: Vec<String>,
}

/// Why keys cannot be had from a file. The text tells the cause; it is not the `source` too, or it would be told twice.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct KeyError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub fault: KeyFault,
}

/// What is wrong with a keystore or key file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// It is longer than any keystore.
    #[error("longer than 4 MiB: this is no keystore")]
    TooLong,
    /// It is of no known kind.
    #[error("neither a JCEKS nor a PKCS#12 keystore")]
    UnknownKind,
    /// JKS cannot hold secret keys.
    #[error(
        "a JKS keystore, which cannot hold secret keys; \
         give the keystore that `transparent_data_encryption_options` of cassandra.yaml names"
    )]
    Jks,
    /// The program was built without the reader of PKCS#12.
    #[error("a PKCS#12 keystore, and this program was built without the feature `pkcs12`")]
    Pkcs12NotBuilt,
    /// The keystore's checksum over password and content does not fit.
    #[error("wrong store password, or the keystore is damaged")]
    StorePassword,
    /// It is not built as its kind asks for.
    #[error("damaged at byte {offset}: expected {expected}")]
    Malformed {
        /// Offset in bytes, in the keystore or in a decrypted entry.
        offset: usize,
        /// What was expected there.
        expected: &'static str,
    },
    /// The reader of PKCS#12 refuses it.
    #[error("wrong password, or not a PKCS#12 keystore that can be read: {0}")]
    Pkcs12(String),
    /// It holds no AES key that can be had.
    #[error("holds no AES key{}", unreadable_hint(unreadable))]
    NoAesKey {
        /// Aliases of secret keys that the key password does not open.
        unreadable: Vec<String>,
    },
    /// A line of a key file.
    #[error("line {line}: {reason}")]
    HexFile {
        /// From 1.
        line: usize,
        /// Why it is no key.
        reason: &'static str,
    },
}

impl From<io::Error> for KeyFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn unreadable_hint(aliases: &[String]) -> String {
    if aliases.is_empty() {
        String::new()
    } else {
        format!(" that the key password opens (tried: {})", aliases.join(", "))
    }
}

/// What a keystore yielded.
#[derive(Default)]
struct Entries {
    aes: Vec<(String, Secret)>,
    /// Aliases of secret keys that the key password does not open.
    unreadable: Vec<String>,
}

impl CommitLogKeys {
    /// Reads keys from a text file: lines of hexadecimal digits, either one key alone, for every alias, or
    /// `alias=key`. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is no AES key of 16, 24 or 32 bytes.
    pub fn from_hex_file(path: &Path) -> Result<Self, KeyError> {
        let at = |fault| KeyError { path: path.to_owned(), fault };
        let (content, warnings) = read_file(path).map_err(at)?;
        let (by_alias, any) = hex_file::parse(&content).map_err(at)?;
        Ok(Self { by_alias, any, warnings })
    }

    /// Reads the AES keys of a JCEKS or PKCS#12 keystore; which it is, is seen from its first bytes.
    ///
    /// `key_password` is that of the entries; without one the store's is taken, as `keytool` does.
    ///
    /// # Errors
    /// When the keystore cannot be read, the password is wrong, or there is no AES key in it.
    pub fn from_keystore(
        path: &Path,
        store_password: &str,
        key_password: Option<&str>,
    ) -> Result<Self, KeyError> {
        let at = |fault| KeyError { path: path.to_owned(), fault };
        let (content, mut warnings) = read_file(path).map_err(at)?;
        let entries =
            read_entries(&content, store_password, key_password.unwrap_or(store_password)).map_err(at)?;
        if entries.aes.is_empty() {
            return Err(at(KeyFault::NoAesKey { unreadable: entries.unreadable }));
        }
        warnings.extend(
            entries
                .unreadable
                .iter()
                .map(|alias| format!("the key password does not open the key `{alias}`")),
        );
        let by_alias = entries.aes.into_iter().map(|(alias, key)| (alias.to_lowercase(), key)).collect();
        Ok(Self { by_alias, any: None, warnings })
    }

    /// The key of `alias`, 16, 24 or 32 bytes.
    #[must_use]
    pub fn key(&self, alias: &str) -> Option<&[u8]> {
        self.by_alias.get(&alias.to_lowercase()).or(self.any.as_ref()).map(|key| key.as_slice())
    }

    /// The aliases that have a key of their own, in lower case.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.by_alias.keys().map(String::as_str)
    }

    /// What the operator should know: a file that others can read, entries that stay closed.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl fmt::Debug for CommitLogKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aliases: Vec<&str> = self.aliases().collect();
        f.debug_struct("CommitLogKeys")
            .field("aliases", &aliases)
            .field("any", &self.any.is_some())
            .finish_non_exhaustive()
    }
}

fn read_entries(content: &[u8], store_password: &str, key_password: &str) -> Result<Entries, KeyFault> {
    match content.first_chunk() {
        Some(&JCEKS_MAGIC) => jceks::read(content, store_password, key_password),
        Some(&JKS_MAGIC) => Err(KeyFault::Jks),
        Some(&[DER_SEQUENCE, ..]) => read_pkcs12(content, store_password),
        _ => Err(KeyFault::UnknownKind),
    }
}

#[cfg(feature = "pkcs12")]
use pkcs12::read as read_pkcs12;

#[cfg(not(feature = "pkcs12"))]
fn read_pkcs12(_: &[u8], _: &str) -> Result<Entries, KeyFault> {
    Err(KeyFault::Pkcs12NotBuilt)
}

/// The parsers that see a file's bytes before a checksum does: key files, and Java objects.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let _ = hex_file::parse(data);
    if let Ok((object, rest)) = java_object::read_object(data) {
        assert!(rest.len() < data.len());
        assert!(object.bytes("key").is_none_or(|bytes| bytes.len() < data.len()));
    }
}

fn is_aes_key_length(length: usize) -> bool {
    matches!(length, 16 | 24 | 32)
}

/// The file's bytes, and what is to be said about the file.
fn read_file(path: &Path) -> Result<(Secret, Vec<String>), KeyFault> {
    let file = File::open(path)?;
    let warnings = permissions_warning(path, &file)?.into_iter().collect();
    let mut content = Secret::default();
    // The memory is taken at once: a buffer that grows leaves unwiped copies behind.
    content.reserve_exact(usize::try_from(file.metadata()?.len().min(LONGEST_FILE) + 1).unwrap_or(0));
    file.take(LONGEST_FILE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LONGEST_FILE {
        return Err(KeyFault::TooLong);
    }
    Ok((content, warnings))
}

#[cfg(unix)]
fn permissions_warning(path: &Path, file: &File) -> io::Result<Option<String>> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then(|| {
        format!("{} can be read by others than its owner (mode {mode:03o}); chmod 600 it", path.display())
    }))
}

#[cfg(not(unix))]
fn permissions_warning(_: &Path, _: &File) -> io::Result<Option<String>> {
    Ok(None)
}

#[cfg(test)]
mod tests;
