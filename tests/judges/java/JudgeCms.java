// Judges detached CMS messages with BouncyCastle: arguments are pairs of files, message and content.
// Prints one line a pair: "valid SUBJECT", "invalid WHY" or "error EXCEPTION".

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.bouncycastle.asn1.ASN1InputStream;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public final class JudgeCms {
    public static void main(String[] files) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        for (int at = 0; at + 1 < files.length; at += 2) {
            byte[] message = Files.readAllBytes(Path.of(files[at]));
            byte[] content = Files.readAllBytes(Path.of(files[at + 1]));
            System.out.println(verdict(message, content).replace('\n', ' '));
        }
    }

    private static String verdict(byte[] message, byte[] content) {
        try {
            // Read one structure and no more: in a PDF zero octets follow it.
            byte[] alone = new ASN1InputStream(message).readObject().getEncoded();
            CMSSignedData signed = new CMSSignedData(new CMSProcessableByteArray(content), alone);
            return judge(signed);
        } catch (Exception error) {
            String text = error.toString();
            return (text.contains("message-digest attribute value does not match") ? "invalid " : "error ") + text;
        }
    }

    private static String judge(CMSSignedData signed) throws Exception {
        Collection<SignerInformation> signers = signed.getSignerInfos().getSigners();
        if (signers.size() != 1) {
            return "invalid " + signers.size() + " signers";
        }
        SignerInformation signer = signers.iterator().next();
        @SuppressWarnings("unchecked")
        Collection<X509CertificateHolder> own = signed.getCertificates().getMatches(signer.getSID());
        if (own.size() != 1) {
            return "invalid the signer's certificate is not inside";
        }
        X509CertificateHolder holder = own.iterator().next();
        JcaSimpleSignerInfoVerifierBuilder builder = new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC");
        if (!signer.verify(builder.build(holder))) {
            return "invalid signature";
        }
        return issuersFit(signed) ? "valid " + holder.getSubject() : "invalid an enclosed issuer did not sign";
    }

    // Every enclosed certificate whose issuer is enclosed too must verify under it.
    private static boolean issuersFit(CMSSignedData signed) throws Exception {
        JcaX509CertificateConverter reader = new JcaX509CertificateConverter().setProvider("BC");
        List<X509Certificate> enclosed = new ArrayList<>();
        for (X509CertificateHolder each : signed.getCertificates().getMatches(null)) {
            enclosed.add(reader.getCertificate(each));
        }
        for (X509Certificate child : enclosed) {
            for (X509Certificate issuer : enclosed) {
                if (child.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())) {
                    try {
                        child.verify(issuer.getPublicKey(), "BC");
                    } catch (java.security.SignatureException refused) {
                        return false;
                    }
                }
            }
        }
        return true;
    }
}
