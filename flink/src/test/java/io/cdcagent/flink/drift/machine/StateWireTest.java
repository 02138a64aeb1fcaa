package io.cdcagent.flink.drift.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

/** States of savepoints that are older than this jar. */
class StateWireTest {
    /**
     * Written by the jar that wrote version 2: both sides were heard at 100 s and 220 s; then
     * onprem wrote a row at 230 s, cloud at 240 s, and cloud's agent had told of a gap at 120 s.
     */
    @Test
    void aStateOfVersion2GoesOn() throws IOException {
        byte[] bytes;
        try (InputStream resource = getClass().getResourceAsStream("/drift/state-2.base64")) {
            bytes = Base64.getMimeDecoder().decode(resource.readAllBytes());
        }
        World world = new World(read(bytes));
        world.write(Side.ONPREM, 235, 2, null);
        assertEquals(
                List.of(Status.MATCH, Status.MISSING_ONPREM, Status.MISSING_CLOUD),
                world.beat(300));
        assertEquals(0, world.state.counts().beforeStart());
        // What a jar to come will write is not guessed at.
        bytes[3] = 4;
        assertThrows(IOException.class, () -> read(bytes));
    }

    private static State read(byte[] bytes) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        State state = StateWire.read(in);
        assertEquals(0, in.available(), "all of it is read");
        return state;
    }
}
