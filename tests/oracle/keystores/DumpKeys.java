import java.io.FileInputStream;
import java.security.Key;
import java.security.KeyStore;
import java.util.Collections;
import java.util.HexFormat;
import javax.crypto.SecretKey;

/** Prints every secret key of a keystore as Java reads it: file, alias, algorithm, bytes. */
public final class DumpKeys {
  public static void main(String[] args) throws Exception {
    String type = args[0];
    String file = args[1];
    char[] storePassword = args[2].toCharArray();
    char[] keyPassword = args[3].toCharArray();
    KeyStore store = KeyStore.getInstance(type);
    try (FileInputStream in = new FileInputStream(file)) {
      store.load(in, storePassword);
    }
    for (String alias : Collections.list(store.aliases())) {
      Key key = store.isKeyEntry(alias) ? store.getKey(alias, keyPassword) : null;
      if (key instanceof SecretKey) {
        String name = file.substring(file.lastIndexOf('/') + 1);
        System.out.println(name + " " + alias + " " + key.getAlgorithm() + " " + HexFormat.of().formatHex(key.getEncoded()));
      }
    }
  }
}
