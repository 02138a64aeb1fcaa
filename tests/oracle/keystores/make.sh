#!/usr/bin/env bash
# Makes the keystores of cdc_fixtures/keystores with the JDK's keytool (17 or newer), and keys.txt: the keys as Java reads
# them. The keys are random, so every run makes others.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../../../cdc_fixtures/keystores" && pwd)
cd "$out"
rm -f ./*.jceks ./*.p12 ./*.jks keys.txt

secret() { # file, type, alias, algorithm, bits, key password
  keytool -genseckey -keystore "$1" -storetype "$2" -storepass storepass -alias "$3" -keyalg "$4" -keysize "$5" -keypass "$6" 2>/dev/null
}
pair() { # file, type, alias
  keytool -genkeypair -keystore "$1" -storetype "$2" -storepass storepass -keypass storepass -alias "$3" -keyalg EC -groupname secp256r1 \
    -dname CN=fixture -validity 36500 2>/dev/null
}

# Several kinds of entries in one JCEKS keystore: a private key, a certificate, AES keys of each size, a key that is not AES.
pair several.jceks JCEKS private
keytool -exportcert -keystore several.jceks -storetype JCEKS -storepass storepass -alias private -file certificate.der 2>/dev/null
keytool -importcert -noprompt -keystore several.jceks -storetype JCEKS -storepass storepass -alias trusted -file certificate.der 2>/dev/null
rm certificate.der
secret several.jceks JCEKS testing:1 AES 128 storepass
secret several.jceks JCEKS Upper:Case AES 192 storepass
secret several.jceks JCEKS testing:2 AES 256 storepass
secret several.jceks JCEKS mac HmacSHA256 256 storepass

# Keys with a password of their own.
secret key-password.jceks JCEKS testing:1 AES 128 keypass123

secret several.p12 PKCS12 testing:1 AES 128 storepass
secret several.p12 PKCS12 testing:2 AES 256 storepass
pair several.p12 PKCS12 private
keytool -importkeystore -noprompt -srckeystore several.jceks -srcstoretype JCEKS -srcstorepass storepass -srcalias upper:case -srckeypass storepass \
  -destkeystore imported.p12 -deststoretype PKCS12 -deststorepass storepass 2>/dev/null

pair plain.jks JKS private

dump() { java "$here/DumpKeys.java" "$@" >>keys.txt; }
dump JCEKS several.jceks storepass storepass
dump JCEKS key-password.jceks storepass keypass123
dump PKCS12 several.p12 storepass storepass
dump PKCS12 imported.p12 storepass storepass
sort -o keys.txt keys.txt
