import java.io.ByteArrayInputStream;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.apache.pdfbox.pdmodel.interactive.form.PDSignatureField;
import org.bouncycastle.asn1.ASN1InputStream;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.DefaultCMSSignatureAlgorithmNameGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoVerifierBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TimeStampToken;

/** PDFBox finds the signatures and what they cover; BouncyCastle verifies what they hold, SM2 too, and the certificates. */
final class PdfBox {
    private static final GmNames NAMES = new GmNames();

    private PdfBox() {}

    /** BouncyCastle knows SM2 with SM3 by 1.2.156.10197.1.501 alone; GB/T 35275 messages say SM2 signing (GB/T 33560). */
    private static final class GmNames extends DefaultCMSSignatureAlgorithmNameGenerator {
        GmNames() {
            setSigningEncryptionAlgorithmMapping(new ASN1ObjectIdentifier("1.2.156.10197.1.301.1"), "SM2");
            setSigningDigestAlgorithmMapping(GMObjectIdentifiers.sm3, "SM3");
        }
    }

    static Object judge(String file, String at, List<String> anchors) throws Exception {
        byte[] document = Files.readAllBytes(Path.of(file));
        Date when = at.equals("-") ? new Date() : Date.from(Instant.parse(at));
        List<Object> found = new ArrayList<>();
        try (PDDocument read = Loader.loadPDF(new File(file))) {
            for (PDSignatureField field : read.getSignatureFields()) {
                if (field.getSignature() != null) {
                    found.add(signature(field, document, when, anchors(anchors)));
                }
            }
        }
        return Map.of("signatures", found);
    }

    private static Set<TrustAnchor> anchors(List<String> files) throws Exception {
        CertificateFactory reader = CertificateFactory.getInstance("X.509", "BC");
        Set<TrustAnchor> anchors = new HashSet<>();
        for (String file : files) {
            byte[] octets = Files.readAllBytes(Path.of(file));
            anchors.add(new TrustAnchor((X509Certificate) reader.generateCertificate(new ByteArrayInputStream(octets)), null));
        }
        return anchors;
    }

    private static Object signature(PDSignatureField field, byte[] document, Date at, Set<TrustAnchor> anchors) {
        PDSignature one = field.getSignature();
        int[] range = one.getByteRange();
        Map<String, Object> found = new TreeMap<>();
        found.put("field", field.getFullyQualifiedName());
        found.put("format", String.valueOf(one.getSubFilter()));
        found.put("whole", range.length == 4 && range[0] == 0 && range[2] + range[3] == document.length);
        String wrong;
        try {
            wrong = gap(range, document);
            // A range may leave out another signature's contents.
            boolean own = wrong.isEmpty() && Arrays.equals(one.getContents(), one.getContents(document));
            wrong = wrong.isEmpty() && !own ? "invalid contents left out are not its own" : wrong;
            wrong = wrong.isEmpty() ? message(one, document, found, at, anchors) : wrong;
        } catch (Exception error) {
            wrong = "invalid " + error;
        }
        found.put("wrong", wrong);
        return found;
    }

    /** What is left out must be one hexadecimal string, from its first sign to its last. */
    private static String gap(int[] range, byte[] document) {
        boolean fits = range.length == 4 && range[0] == 0 && range[1] > 0 && range[2] > range[1] + 1 && range[3] >= 0
                && (long) range[2] + range[3] <= document.length
                && document[range[1]] == '<' && document[range[2] - 1] == '>';
        for (int at = range.length == 4 ? range[1] + 1 : 0; fits && at < range[2] - 1; at++) {
            fits = Character.digit(document[at], 16) >= 0 || Character.isWhitespace(document[at]);
        }
        return fits ? "" : "invalid range";
    }

    private static String message(
            PDSignature one, byte[] document, Map<String, Object> found, Date at, Set<TrustAnchor> anchors) throws Exception {
        byte[] content = one.getSignedContent(document);
        byte[] alone = new ASN1InputStream(one.getContents(document)).readObject().getEncoded();
        if ("GM.sm2seal".equals(one.getSubFilter())) {
            Ses ses = new Ses(alone);
            String wrong = ses.wrong(content);
            return wrong.isEmpty() ? path(ses.certificates(), ses.signer, at, anchors) : wrong;
        }
        boolean stamp = "ETSI.RFC3161".equals(one.getSubFilter());
        CMSSignedData signed = stamp || "adbe.pkcs7.sha1".equals(one.getSubFilter())
                ? new CMSSignedData(alone)
                : new CMSSignedData(new CMSProcessableByteArray(content), alone);
        if (stamp && !Imprint.of(new TimeStampToken(signed), content)) {
            return "invalid imprint";
        }
        if (!stamp && signed.getSignedContent() instanceof CMSProcessableByteArray && !Imprint.encloses(signed, content, one)) {
            return "invalid content";
        }
        Collection<SignerInformation> signers = signed.getSignerInfos().getSigners();
        if (signers.size() != 1) {
            return "invalid " + signers.size() + " signers";
        }
        SignerInformation signer = signers.iterator().next();
        found.put("algorithm", signer.getEncryptionAlgOID());
        found.put("timestamps", signer.getUnsignedAttributes() == null ? 0
                : signer.getUnsignedAttributes().getAll(PKCSObjectIdentifiers.id_aa_signatureTimeStampToken).size());
        return signer(signed, signer, at, anchors);
    }

    private static String signer(CMSSignedData signed, SignerInformation signer, Date at, Set<TrustAnchor> anchors)
            throws Exception {
        // Some makers enclose it twice.
        Set<X509CertificateHolder> own = new HashSet<>(signed.getCertificates().getMatches(signer.getSID()));
        if (own.size() != 1) {
            return "unknown no certificate of the signer";
        }
        X509CertificateHolder holder = own.iterator().next();
        try {
            // The dates of the certificate are the path's matter, as of the time asked about.
            X509Certificate certificate = new JcaX509CertificateConverter().setProvider("BC").getCertificate(holder);
            var verifier = new JcaSignerInfoVerifierBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
                    .setProvider("BC").setSignatureAlgorithmNameGenerator(NAMES).build(certificate.getPublicKey());
            if (!signer.verify(verifier)) {
                return "invalid signature";
            }
        } catch (CMSException refused) {
            return "invalid " + refused.getMessage();
        }
        JcaX509CertificateConverter reader = new JcaX509CertificateConverter().setProvider("BC");
        List<X509Certificate> enclosed = new ArrayList<>();
        for (X509CertificateHolder each : signed.getCertificates().getMatches(null)) {
            enclosed.add(reader.getCertificate(each));
        }
        return path(enclosed, reader.getCertificate(holder), at, anchors);
    }

    private static String path(List<X509Certificate> certificates, X509Certificate signer, Date at,
            Set<TrustAnchor> anchors) throws Exception {
        if (anchors.isEmpty()) {
            return "unknown nobody is trusted";
        }
        X509CertSelector target = new X509CertSelector();
        target.setCertificate(signer);
        PKIXBuilderParameters asked = new PKIXBuilderParameters(anchors, target);
        asked.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(certificates), "BC"));
        asked.setRevocationEnabled(false);
        asked.setDate(at);
        try {
            CertPathBuilder.getInstance("PKIX", "BC").build(asked);
            return "";
        } catch (GeneralSecurityException refused) {
            return "unknown " + refused.getMessage();
        }
    }
}
