import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * ofdrw as a program that stays: a question a line on standard input, its words parted by tabs; for each an answer of
 * any number of lines, the last of which is a full stop. A question that fails is answered "failed, exception, message".
 *
 *   verify FILE                        nothing, or "refused EXCEPTION MESSAGE"
 *   stamps FILE                        "stamp SIGNATURE VERSION ESID PAGE BOUNDARY CLIP" each
 *   integrity FILE                     "true" or "false"
 *   render FILE PAGE DOTS_PER_MM OUT   the page as PNG
 *   time FILE RUNS                     "run WALL_NS THREAD_CPU_NS" each, then "process CPU_NS" of all runs
 *   world PICTURE FOLDER               keys that live as long as this program; root, maker and user .cer in FOLDER
 *   sign SOURCE OUT CONTAINER MODE PLACE...   CONTAINER v1, v4, digest, base64 or attributes; MODE continue or whole
 *   protect SOURCE OUT                 with an integrity file
 */
public final class Main {
    public static void main(String[] arguments) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, "UTF-8");
        System.setOut(System.err); // what a library prints is no answer
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Maker maker = new Maker();
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            List<String> answer = new ArrayList<>();
            try {
                ask(maker, line.split("\t"), answer);
            } catch (Throwable error) {
                answer.clear();
                answer.add(row("failed", error.getClass().getSimpleName(), String.valueOf(error.getMessage())));
            }
            answer.forEach(answers::println);
            answers.println(".");
        }
    }

    private static void ask(Maker maker, String[] words, List<String> answer) throws Exception {
        switch (words[0]) {
            case "verify" -> Judge.verify(words[1]).ifPresent(answer::add);
            case "stamps" -> answer.addAll(Judge.stamps(words[1]));
            case "integrity" -> answer.add(String.valueOf(Judge.integrity(words[1])));
            case "render" -> Judge.render(words[1], Integer.parseInt(words[2]), Double.parseDouble(words[3]), words[4]);
            case "time" -> answer.addAll(Judge.time(words[1], Integer.parseInt(words[2])));
            case "world" -> maker.makeWorld(words[1], words[2]);
            case "sign" -> maker.sign(words);
            case "protect" -> maker.protect(words[1], words[2]);
            default -> throw new IllegalArgumentException("unknown question " + words[0]);
        }
    }

    static String row(String... words) {
        List<String> clean = new ArrayList<>();
        for (String word : words) {
            clean.add(word.replaceAll("[\\t\\r\\n]", " "));
        }
        return String.join("\t", clean);
    }
}
