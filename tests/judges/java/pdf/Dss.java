import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.PDFRevisionWrapper;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.diagnostic.jaxb.XmlPDFLockDictionary;
import eu.europa.esig.dss.enumerations.CertificationPermission;
import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.enumerations.SubIndication;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSException;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.pades.validation.PDFDocumentValidator;
import eu.europa.esig.dss.pdf.IPdfObjFactory;
import eu.europa.esig.dss.pdf.modifications.DefaultPdfDifferencesFinder;
import eu.europa.esig.dss.pdf.pdfbox.PdfBoxDefaultObjectFactory;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** EU DSS under its own policy, with nothing from the network: what is in the file, and what it was given, is all. */
final class Dss {
    private Dss() {}

    static Object judge(String file, String at, List<String> lists, List<String> anchors) throws Exception {
        PDFDocumentValidator validator = new PDFDocumentValidator(new FileDocument(file));
        validator.setCertificateVerifier(verifier(lists, anchors));
        validator.setPdfObjFactory(withoutDrawing());
        if (!at.equals("-")) {
            validator.setValidationTime(Date.from(Instant.parse(at)));
        }
        Reports reports = validator.validateDocument();
        long size = new File(file).length();
        SimpleReport simple = reports.getSimpleReport();
        DiagnosticData facts = reports.getDiagnosticData();
        List<Object> signatures = new ArrayList<>();
        for (String id : simple.getSignatureIdList()) {
            signatures.add(signature(simple, facts.getSignatureById(id), size));
        }
        List<Object> stamps = new ArrayList<>();
        for (TimestampWrapper stamp : facts.getTimestampList()) {
            if (stamp.getType().isDocumentTimestamp()) {
                stamps.add(stamp(simple, stamp, size));
            }
        }
        signatures.addAll(stamps);
        return Map.of("signatures", signatures);
    }

    /** What changed is told by the objects; drawing every revision of every page to tell it again costs seconds. */
    private static IPdfObjFactory withoutDrawing() {
        DefaultPdfDifferencesFinder finder = new DefaultPdfDifferencesFinder();
        finder.setMaximalPagesAmountForVisualComparison(0);
        IPdfObjFactory factory = new PdfBoxDefaultObjectFactory();
        factory.setPdfDifferencesFinder(finder);
        return factory;
    }

    private static CommonCertificateVerifier verifier(List<String> lists, List<String> anchors) throws Exception {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        for (String anchor : anchors) {
            byte[] octets = Files.readAllBytes(Path.of(anchor));
            try {
                trusted.addCertificate(DSSUtils.loadCertificate(octets));
            } catch (DSSException unread) {
                // A root of SM2: what hangs on it stays without anybody trusted.
                continue;
            }
        }
        CommonCertificateVerifier verifier = new CommonCertificateVerifier(true); // true: no source that asks anyone
        verifier.setTrustedCertSources(trusted);
        List<InputStream> read = new ArrayList<>();
        for (String list : lists) {
            read.add(new ByteArrayInputStream(Files.readAllBytes(Path.of(list))));
        }
        verifier.setCrlSource(new ExternalResourcesCRLSource(read.toArray(InputStream[]::new)));
        return verifier;
    }

    private static Object signature(SimpleReport simple, SignatureWrapper one, long size) {
        Map<String, Object> found = verdict(simple, one.getId(), one.getPDFRevision(), size);
        found.put("level", String.valueOf(one.getSignatureFormat()));
        found.put("intact", one.isSignatureIntact() && one.isSignatureValid());
        found.put("timestamps", one.getTimestampList().size());
        found.put("closes", one.getDocMDPPermissions() == CertificationPermission.NO_CHANGE_PERMITTED || locks(one.getFieldMDP())
                || locks(one.getSigFieldLock()));
        return found;
    }

    private static boolean locks(XmlPDFLockDictionary lock) {
        return lock != null && lock.getPermissions() == CertificationPermission.NO_CHANGE_PERMITTED;
    }

    private static Object stamp(SimpleReport simple, TimestampWrapper one, long size) {
        Map<String, Object> found = verdict(simple, one.getId(), one.getPDFRevision(), size);
        found.put("level", "DocTimeStamp");
        found.put("intact", one.isSignatureIntact() && one.isSignatureValid() && one.isMessageImprintDataIntact());
        found.put("timestamps", 0);
        return found;
    }

    private static Map<String, Object> verdict(SimpleReport simple, String id, PDFRevisionWrapper revision, long size) {
        Indication indication = simple.getIndication(id);
        SubIndication detail = simple.getSubIndication(id);
        Map<String, Object> found = new TreeMap<>();
        found.put("indication", String.valueOf(indication));
        found.put("subindication", detail == null ? "" : detail.name());
        found.put("errors", texts(simple.getAdESValidationErrors(id)));
        found.put("warnings", texts(simple.getAdESValidationWarnings(id)));
        found.put("field", revision == null ? "" : revision.getSignatureFieldNames().stream().findFirst().orElse(""));
        found.put("whole", revision != null && whole(revision.getSignatureByteRange(), size));
        found.put("changes", revision == null ? List.of() : changes(revision));
        return found;
    }

    private static boolean whole(List<BigInteger> range, long size) {
        return range.size() == 4
                && range.get(0).signum() == 0
                && range.get(2).add(range.get(3)).equals(BigInteger.valueOf(size));
    }

    private static List<String> changes(PDFRevisionWrapper revision) {
        return Stream.of(revision.getPdfUndefinedChanges(), revision.getPdfAnnotationChanges(),
                        revision.getPdfSignatureOrFormFillChanges(), revision.getPdfExtensionChanges())
                .flatMap(List::stream)
                .map(change -> change.getAction() + " " + change.getValue())
                .distinct().limit(16).collect(Collectors.toList());
    }

    private static List<String> texts(List<Message> messages) {
        return messages.stream().map(Message::getValue).collect(Collectors.toList());
    }
}
