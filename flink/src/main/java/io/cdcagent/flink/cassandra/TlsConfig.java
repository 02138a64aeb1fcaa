package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.ssl.ProgrammaticSslEngineFactory;
import com.datastax.oss.driver.api.core.ssl.SslEngineFactory;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;

/** The `ssl.*` options. Files are those of the TaskManager. */
final class TlsConfig implements Serializable {
    private static final long serialVersionUID = 1L;

    private final String caFile;
    private final String truststore;
    private final Secret truststorePassword;
    private final String keystore;
    private final Secret keystorePassword;
    private final boolean verifyHostname;

    private TlsConfig(ReadableConfig options) {
        caFile = options.getOptional(CassandraOptions.SSL_CA_FILE).orElse(null);
        truststore = options.getOptional(CassandraOptions.SSL_TRUSTSTORE).orElse(null);
        truststorePassword = Secret.of(options, CassandraOptions.SSL_TRUSTSTORE_PASSWORD);
        keystore = options.getOptional(CassandraOptions.SSL_KEYSTORE).orElse(null);
        keystorePassword = Secret.of(options, CassandraOptions.SSL_KEYSTORE_PASSWORD);
        verifyHostname = options.get(CassandraOptions.SSL_HOSTNAME_VERIFICATION);
        if (caFile != null && truststore != null) {
            throw new ValidationException(
                    "'ssl.ca-file' and 'ssl.truststore' are given; give one of them.");
        }
        if (keystore != null && keystorePassword == null) {
            throw new ValidationException(
                    "'ssl.keystore' needs 'ssl.keystore-password' or 'ssl.keystore-password-file'.");
        }
    }

    /** Null when the options ask for no TLS. */
    static TlsConfig of(ReadableConfig options) {
        TlsConfig found = new TlsConfig(options);
        boolean implied =
                found.caFile != null
                        || found.truststore != null
                        || found.truststorePassword != null
                        || found.keystore != null
                        || found.keystorePassword != null
                        || options.getOptional(CassandraOptions.SSL_HOSTNAME_VERIFICATION)
                                .isPresent();
        boolean enabled = options.getOptional(CassandraOptions.SSL_ENABLED).orElse(implied);
        if (implied && !enabled) {
            throw new ValidationException(
                    "'ssl.enabled' is false beside other ssl options; leave these out, or it.");
        }
        return enabled ? found : null;
    }

    /**
     * Reads the files.
     *
     * @throws RefusedException when one cannot be read or does not fit its password
     */
    SslEngineFactory engines() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys(), authorities(), null);
            // Without reverse look-ups: who answers for an address is for the certificate to say,
            // not for a DNS server.
            return new ProgrammaticSslEngineFactory(context, null, verifyHostname, false);
        } catch (GeneralSecurityException error) {
            throw new RefusedException(
                    "TLS cannot be set up from the ssl options: "
                            + error.getClass().getSimpleName()
                            + ".");
        }
    }

    private TrustManager[] authorities() throws GeneralSecurityException {
        if (caFile == null && truststore == null) {
            return null; // those of the JVM
        }
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(
                caFile != null
                        ? pem()
                        : store("ssl.truststore", truststore, password(truststorePassword)));
        return factory.getTrustManagers();
    }

    private KeyManager[] keys() throws GeneralSecurityException {
        if (keystore == null) {
            return null;
        }
        KeyManagerFactory factory =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        char[] password = password(keystorePassword);
        factory.init(store("ssl.keystore", keystore, password), password);
        return factory.getKeyManagers();
    }

    private static char[] password(Secret secret) {
        return secret == null ? null : secret.read().toCharArray();
    }

    private KeyStore pem() throws GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        try (InputStream in = Files.newInputStream(Path.of(caFile))) {
            store.load(null, null);
            for (Certificate one :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("authority " + store.size(), one);
            }
        } catch (IOException | GeneralSecurityException error) {
            throw unreadable("ssl.ca-file", caFile, error, "a PEM file of certificates");
        }
        if (store.size() == 0) {
            throw new RefusedException(
                    String.format("'ssl.ca-file': %s holds no certificate in PEM form.", caFile));
        }
        return store;
    }

    private static KeyStore store(String option, String file, char[] password) {
        try {
            return KeyStore.getInstance(new File(file), password);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException error) {
            throw unreadable(option, file, error, "a JKS or PKCS#12 store with the password given");
        }
    }

    private static RefusedException unreadable(
            String option, String file, Exception error, String what) {
        return new RefusedException(
                String.format(
                        "'%s': %s cannot be read on this TaskManager (%s). It must be %s, readable for the user of Flink.",
                        option, file, error.getClass().getSimpleName(), what));
    }
}
