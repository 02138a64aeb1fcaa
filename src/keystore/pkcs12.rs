//! PKCS#12 keystores, the default of `keytool` since Java 9.
//!
//! The parsing crate does not wipe its own copies of what it decrypts; ours are wiped.

use p12_keystore::secret::SecretKeyType;
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};
use zeroize::Zeroizing;

use super::{Entries, KeyFault, is_aes_key_length};

/// Reads the AES keys of a keystore. PKCS#12 has one password for the store and its keys.
pub(super) fn read(store: &[u8], password: &str) -> Result<Entries, KeyFault> {
    let store = KeyStore::from_pkcs12(store, password, Pkcs12ImportPolicy::Raw)
        .map_err(|error| KeyFault::Pkcs12(error.to_string()))?;
    let mut entries = Entries::default();
    for (alias, entry) in store.entries() {
        if let KeyStoreEntry::Secret(secret) = entry
            && is_aes(secret.key_type())
            && is_aes_key_length(secret.key().len())
        {
            entries.aes.push((alias.clone(), Zeroizing::new(secret.key().to_vec())));
        }
    }
    Ok(entries)
}

fn is_aes(kind: SecretKeyType) -> bool {
    use SecretKeyType::{Aes, Aes128Cbc, Aes192Cbc, Aes256Cbc};
    matches!(kind, Aes | Aes128Cbc | Aes192Cbc | Aes256Cbc)
}
