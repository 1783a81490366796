import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Judges PDF documents as long as questions come: a line with tabs between words, answered by lines and then ".".
 * An answer is one line of JSON, or "failed EXCEPTION MESSAGE" with tabs between. AT is an instant, or "-" for now.
 *
 *   dss FILE AT LISTS ANCHOR...    EU DSS; LISTS is how many of the files that follow are revocation lists, those first
 *   pdfbox FILE AT ANCHOR...       PDFBox reads, BouncyCastle verifies
 *   verapdf FILE FLAVOUR           veraPDF; FLAVOUR as it names them, such as 2b
 */
public final class Main {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // what a library prints is no answer
        Locale.setDefault(Locale.ROOT);
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            try {
                answers.println(JSON.writeValueAsString(ask(Arrays.asList(line.split("\t")))));
            } catch (Throwable error) {
                String message = String.valueOf(error.getMessage()).replaceAll("[\\t\\r\\n]", " ");
                answers.println("failed\t" + error.getClass().getSimpleName() + "\t" + message);
            }
            answers.println(".");
        }
    }

    private static Object ask(List<String> words) throws Exception {
        switch (words.get(0)) {
            case "dss":
                int lists = 4 + Integer.parseInt(words.get(3));
                return Dss.judge(words.get(1), words.get(2), words.subList(4, lists), words.subList(lists, words.size()));
            case "pdfbox":
                return PdfBox.judge(words.get(1), words.get(2), words.subList(3, words.size()));
            case "verapdf":
                return VeraPdf.judge(words.get(1), words.get(2));
            default:
                throw new IllegalArgumentException("unknown question " + words.get(0));
        }
    }
}
