import java.security.MessageDigest;
import java.util.Arrays;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.tsp.TimeStampToken;

/** Whether what a message encloses is about the content. */
final class Imprint {
    private Imprint() {}

    static boolean of(TimeStampToken token, byte[] content) throws Exception {
        String algorithm = token.getTimeStampInfo().getMessageImprintAlgOID().getId();
        byte[] digest = MessageDigest.getInstance(algorithm, "BC").digest(content);
        return Arrays.equals(digest, token.getTimeStampInfo().getMessageImprintDigest());
    }

    /** adbe.pkcs7.sha1 encloses the SHA-1 of the content; every other kind encloses nothing. */
    static boolean encloses(CMSSignedData signed, byte[] content, PDSignature one) throws Exception {
        if (!"adbe.pkcs7.sha1".equals(one.getSubFilter())) {
            return true;
        }
        byte[] enclosed = (byte[]) signed.getSignedContent().getContent();
        return Arrays.equals(MessageDigest.getInstance("SHA-1").digest(content), enclosed);
    }
}
