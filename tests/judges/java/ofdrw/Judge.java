import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ofdrw.converter.export.ImageExporter;
import org.ofdrw.core.basicType.ST_Box;
import org.ofdrw.core.signatures.SigType;
import org.ofdrw.core.signatures.appearance.StampAnnot;
import org.ofdrw.crypto.integrity.GMProtectVerifier;
import org.ofdrw.crypto.integrity.OFDIntegrityVerifier;
import org.ofdrw.gm.ses.parse.SESVersion;
import org.ofdrw.gm.ses.parse.SESVersionHolder;
import org.ofdrw.gm.ses.parse.VersionParser;
import org.ofdrw.reader.OFDReader;
import org.ofdrw.reader.PageInfo;
import org.ofdrw.reader.model.StampAnnotEntity;
import org.ofdrw.sign.verify.OFDValidator;
import org.ofdrw.sign.verify.SignedDataValidateContainer;
import org.ofdrw.sign.verify.container.GBT35275ValidateContainer;
import org.ofdrw.sign.verify.container.SESV1ValidateContainer;
import org.ofdrw.sign.verify.container.SESV4ValidateContainer;

/** What ofdrw reads in a document and what it thinks of it. */
final class Judge {
    private Judge() {}

    /** ofdrw has a container for each kind of signature; this one chooses among them. */
    private static final class AnyKind implements SignedDataValidateContainer {
        @Override
        public void validate(SigType type, String algorithm, byte[] signed, byte[] value)
                throws IOException, GeneralSecurityException {
            chosen(type, value).validate(type, algorithm, signed, value);
        }

        private static SignedDataValidateContainer chosen(SigType type, byte[] value) {
            if (type == SigType.Sign) {
                return new GBT35275ValidateContainer();
            }
            SESVersion version = VersionParser.parseSES_SignatureVersion(value).getVersion();
            return version == SESVersion.v1 ? new SESV1ValidateContainer() : new SESV4ValidateContainer();
        }
    }

    static Optional<String> verify(String file) throws Exception {
        try (OFDReader reader = new OFDReader(Path.of(file));
                OFDValidator validator = new OFDValidator(reader)) {
            validator.setValidator(new AnyKind());
            validator.exeValidate();
            return Optional.empty();
        } catch (GeneralSecurityException | IllegalArgumentException error) {
            String what = error.getClass().getSimpleName();
            return Optional.of(Main.row("refused", what, String.valueOf(error.getMessage())));
        }
    }

    static List<String> stamps(String file) throws Exception {
        List<String> rows = new ArrayList<>();
        try (OFDReader reader = new OFDReader(Path.of(file))) {
            Map<String, Integer> pages = new HashMap<>();
            for (PageInfo page : reader.getPageList()) {
                pages.put(page.getId().toString(), page.getIndex());
            }
            int number = 0;
            for (StampAnnotEntity signature : reader.getStampAnnots()) {
                SESVersionHolder holder = signature.getHolder();
                boolean old = holder.getVersion() == SESVersion.v1;
                String id = old
                        ? holder.getInstanceV1().getToSign().getEseal().getEsealInfo().getEsID().getString()
                        : holder.getInstanceV4().getToSign().getEseal().geteSealInfo().getEsID().getString();
                for (StampAnnot stamp : signature.getStampAnnots()) {
                    String page = String.valueOf(pages.get(stamp.getPageRef().toString()));
                    String version = holder.getVersion().name();
                    rows.add(Main.row("stamp", String.valueOf(number), version, id, page,
                            box(stamp.getBoundary()), box(stamp.getClip())));
                }
                number++;
            }
        }
        return rows;
    }

    private static String box(ST_Box box) {
        return box == null ? "" : box.toString();
    }

    static boolean integrity(String file) throws Exception {
        return new OFDIntegrityVerifier().integrity(Path.of(file), new GMProtectVerifier());
    }

    static void render(String file, int page, double dotsPerMm, String out) throws Exception {
        Path folder = Files.createTempDirectory("xinyin-judge-");
        try (ImageExporter exporter = new ImageExporter(Path.of(file), folder, "PNG", dotsPerMm)) {
            exporter.export(page - 1);
            Files.move(exporter.getImgFilePaths().get(0), Path.of(out), StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(folder);
        }
    }

    static List<String> time(String file, int runs) throws Exception {
        OperatingSystemMXBean process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        var threads = ManagementFactory.getThreadMXBean();
        List<String> rows = new ArrayList<>();
        long processBegan = process.getProcessCpuTime();
        for (int run = 0; run < runs; run++) {
            long wall = System.nanoTime();
            long cpu = threads.getCurrentThreadCpuTime();
            if (verify(file).isPresent()) {
                throw new IllegalStateException("the document is refused");
            }
            long cpuEnded = threads.getCurrentThreadCpuTime();
            rows.add(Main.row("run", String.valueOf(System.nanoTime() - wall), String.valueOf(cpuEnded - cpu)));
        }
        rows.add(Main.row("process", String.valueOf(process.getProcessCpuTime() - processBegan)));
        return rows;
    }
}
