import java.io.FileInputStream;
import java.security.KeyStore;
import java.util.HexFormat;

/** Prints a secret key of a key store as hex: {@code java KeyHex.java FILE TYPE PASSWORD ALIAS}. */
public class KeyHex {
    public static void main(String[] arguments) throws Exception {
        char[] password = arguments[2].toCharArray();
        KeyStore store = KeyStore.getInstance(arguments[1]);
        try (FileInputStream in = new FileInputStream(arguments[0])) {
            store.load(in, password);
        }
        System.out.println(HexFormat.of().formatHex(store.getKey(arguments[3], password).getEncoded()));
    }
}
