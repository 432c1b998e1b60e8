package capture;

import java.util.concurrent.Callable;

/** Polls a condition until a deadline. */
final class Wait {
    private Wait() {
    }

    static void until(String what, int seconds, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("waited " + seconds + " s in vain for " + what);
            }
            Thread.sleep(200);
        }
    }
}
