import java.io.FileInputStream;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.ValidationResult;

/** veraPDF: whether a file is what it says, PDF/A. */
final class VeraPdf {
    static {
        VeraGreenfieldFoundryProvider.initialise();
    }

    private VeraPdf() {}

    static Object judge(String file, String flavour) throws Exception {
        PDFAFlavour asked = PDFAFlavour.byFlavourId(flavour);
        try (InputStream stream = new FileInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(stream, asked);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(asked, false)) {
            ValidationResult result = validator.validate(parser);
            List<String> failed = result.getTestAssertions().stream()
                    .map(each -> each.getRuleId().getClause() + "-" + each.getRuleId().getTestNumber())
                    .distinct().sorted().collect(Collectors.toList());
            return Map.of("compliant", result.isCompliant(), "failed", failed);
        }
    }
}
