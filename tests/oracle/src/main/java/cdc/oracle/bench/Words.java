package cdc.oracle.bench;

import java.util.Random;

/** Text that looks and compresses like text. */
final class Words {
    private static final String[] WORDS = ("the order was sent by express to a customer in north street and paid with card after review please call"
        + " before delivery fragile goods return within days invoice number item blue large small red window seat garden lamp table"
        + " café straße señor 東京 notebook charger winter jacket premium account updated manually").split(" ");

    private Words() {
    }

    static String some(Random random, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(WORDS[random.nextInt(WORDS.length)]);
        }
        return text.toString();
    }
}
