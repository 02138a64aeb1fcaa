//! TLS with OpenSSL, the library that librdkafka uses too.

use std::path::Path;

use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509Ref, X509StoreContextRef, X509VerifyResult};
use scylla::client::session::{OpenSsl010Config, TlsContext};

use super::{CqlError, TlsSettings};

/// OpenSSL's number for a certificate that does not have the address (`X509_V_ERR_IP_ADDRESS_MISMATCH`).
const ADDRESS_MISMATCH: i32 = 64;

/// Reads the files. The driver has the node's certificate compared with the address it connects to.
pub(crate) fn context(settings: &TlsSettings) -> Result<TlsContext, CqlError> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(failed("tls"))?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2)).map_err(failed("tls"))?;
    if let Some(path) = &settings.ca_file {
        // Only these authorities: the builder begins with those of the system.
        let empty = X509StoreBuilder::new().map_err(failed("tls"))?.build();
        builder.set_cert_store(empty);
        builder.set_ca_file(path).map_err(unusable("ca_file", path))?;
    }
    client_key(&mut builder, settings)?;
    if let Some(name) = settings.server_name.clone() {
        builder.set_verify_callback(SslVerifyMode::PEER, move |valid, certificate| {
            valid || has_name_instead(certificate, &name)
        });
    }
    Ok(OpenSsl010Config::new(builder).into())
}

fn client_key(builder: &mut SslConnectorBuilder, settings: &TlsSettings) -> Result<(), CqlError> {
    match (&settings.certificate_file, &settings.key_file) {
        (Some(certificate), Some(key)) => {
            builder
                .set_certificate_chain_file(certificate)
                .map_err(unusable("certificate_file", certificate))?;
            // A passphrase would be asked for on the terminal: refuse it instead.
            let pem = std::fs::read(key).map_err(unusable("key_file", key))?;
            let refuse = |_: &mut [u8]| Ok(0);
            let key_text = openssl::pkey::PKey::private_key_from_pem_callback(&pem, refuse)
                .map_err(unusable("key_file", key))?;
            builder.set_private_key(&key_text).map_err(unusable("key_file", key))?;
            builder.check_private_key().map_err(unusable("key_file", key))
        }
        (None, None) => Ok(()),
        (certificate, _) => Err(CqlError::Settings {
            what: "tls".to_owned(),
            reason: format!("a client {} without its other half", half(certificate.is_some())),
            hint: "give certificate_file and key_file, or neither",
        }),
    }
}

const fn half(certificate: bool) -> &'static str {
    if certificate { "certificate" } else { "key" }
}

/// Whether the only objection is the address, and the certificate has the configured name.
fn has_name_instead(context: &mut X509StoreContextRef, name: &str) -> bool {
    let is_address = context.error_depth() == 0 && context.error().as_raw() == ADDRESS_MISMATCH;
    let accepted =
        is_address && context.current_cert().is_some_and(|certificate| has_name(certificate, name));
    if accepted {
        context.set_error(X509VerifyResult::OK);
    }
    accepted
}

/// Whether the name stands among the alternative names, letter by letter: no wildcard counts.
fn has_name(certificate: &X509Ref, name: &str) -> bool {
    let names = certificate.subject_alt_names();
    names.is_some_and(|names| {
        names.iter().any(|known| known.dnsname().is_some_and(|known| known.eq_ignore_ascii_case(name)))
    })
}

fn failed(what: &'static str) -> impl Fn(ErrorStack) -> CqlError {
    move |error| CqlError::Settings {
        what: what.to_owned(),
        reason: error.to_string(),
        hint: "check the installation of OpenSSL",
    }
}

fn unusable<E: std::fmt::Display>(what: &'static str, path: &Path) -> impl Fn(E) -> CqlError {
    move |error| CqlError::Settings {
        what: format!("tls: {what} {}", path.display()),
        reason: error.to_string(),
        hint: "give a readable PEM file; a private key without passphrase, and the one of the certificate",
    }
}
