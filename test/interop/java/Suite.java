// Rollway against Apache Kafka's own Java clients: java -cp ... Suite HOST:PORT. Prints TAP.

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class Suite {
    interface Body {
        void run() throws Exception;
    }

    private static final int COUNT = 20000;
    private static String broker;
    private static String prefix;
    private static int number;
    private static int failed;

    static void test(String name, Body body) {
        number++;
        try {
            body.run();
            System.out.println("ok " + number + " - " + name);
        } catch (Throwable e) {
            failed++;
            System.out.println("not ok " + number + " - " + name);
            for (Throwable t = e; t != null; t = t.getCause()) {
                System.out.println("# " + String.valueOf(t).replace('\n', ' '));
                if (t.getStackTrace().length > 0) {
                    System.out.println("#   at " + t.getStackTrace()[0]);
                }
            }
        }
    }

    static void same(Object wanted, Object got) {
        if (!Objects.equals(wanted, got)) {
            throw new AssertionError("wanted " + wanted + ", got " + got);
        }
    }

    /** The cause of what the future failed with is of this class. */
    static void fails(Class<? extends Throwable> wanted, Body body) throws Exception {
        try {
            body.run();
        } catch (ExecutionException e) {
            same(wanted, e.getCause().getClass());
            return;
        }
        throw new AssertionError("no " + wanted.getSimpleName());
    }

    static Properties base() {
        Properties p = new Properties();
        p.put("bootstrap.servers", broker);
        p.put("request.timeout.ms", "15000");
        return p;
    }

    static Admin admin() {
        Properties p = base();
        p.put("default.api.timeout.ms", "30000");
        return Admin.create(p);
    }

    static KafkaProducer<byte[], byte[]> producer(String... pairs) {
        Properties p = base();
        p.put("delivery.timeout.ms", "30000");
        p.put("linger.ms", "5");
        for (int i = 0; i < pairs.length; i += 2) {
            p.put(pairs[i], pairs[i + 1]);
        }
        return new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(String... pairs) {
        Properties p = base();
        p.put("auto.offset.reset", "none");
        p.put("enable.auto.commit", "false");
        for (int i = 0; i < pairs.length; i += 2) {
            p.put(pairs[i], pairs[i + 1]);
        }
        return new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static String create(String suffix, int partitions, Map<String, String> configs) throws Exception {
        String topic = prefix + "-" + suffix;
        try (Admin a = admin()) {
            a.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs))).all().get();
        }
        return topic;
    }

    static List<ConsumerRecord<byte[], byte[]>> read(String topic, int partition, long from, String... pairs) {
        TopicPartition tp = new TopicPartition(topic, partition);
        List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> c = consumer(pairs)) {
            c.assign(List.of(tp));
            c.seek(tp, from);
            long end = c.endOffsets(List.of(tp)).get(tp);
            long deadline = System.nanoTime() + 30_000_000_000L;
            while (c.position(tp) < end) {
                if (System.nanoTime() > deadline) {
                    throw new AssertionError("stuck at " + c.position(tp) + " of " + end);
                }
                c.poll(Duration.ofMillis(500)).forEach(all::add);
            }
        }
        return all;
    }

    static byte[] bytes(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] b) {
        return b == null ? null : new String(b, StandardCharsets.UTF_8);
    }

    static void codec(String codec, boolean idempotent) throws Exception {
        String topic = create(codec + "-" + idempotent, 1, Map.of());
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> p = producer("compression.type", codec, "enable.idempotence",
                String.valueOf(idempotent))) {
            for (int i = 0; i < COUNT; i++) {
                byte[] key = i % 3 == 0 ? null : bytes("k" + i % 100);
                sent.add(p.send(new ProducerRecord<>(topic, 0, 1700000000000L + i, key, bytes(i + " text again " + i % 13))));
            }
        }
        for (int i = 0; i < COUNT; i++) {
            same((long) i, sent.get(i).get().offset());
        }
        List<ConsumerRecord<byte[], byte[]>> got = read(topic, 0, 0);
        same(COUNT, got.size());
        for (int i = 0; i < COUNT; i++) {
            ConsumerRecord<byte[], byte[]> r = got.get(i);
            same((long) i, r.offset());
            same(1700000000000L + i, r.timestamp());
            same(i % 3 == 0 ? null : "k" + i % 100, text(r.key()));
            same(i + " text again " + i % 13, text(r.value()));
        }
    }

    static void topics() throws Exception {
        String topic = create("admin", 3, Map.of("retention.ms", "123456"));
        try (Admin a = admin()) {
            same(true, a.listTopics().names().get().contains(topic));
            TopicDescription d = a.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            same(3, d.partitions().size());
            same(false, d.topicId().equals(org.apache.kafka.common.Uuid.ZERO_UUID));
            fails(TopicExistsException.class, () -> a.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get());
            fails(InvalidConfigurationException.class, () -> a.createTopics(List.of(
                new NewTopic(prefix + "-bad", 1, (short) 1).configs(Map.of("retention.ms", "often")))).all().get());
            a.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
            same(5, a.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
            ConfigResource r = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            Config c = a.describeConfigs(List.of(r)).all().get().get(r);
            same("123456", c.get("retention.ms").value());
            same(true, c.entries().size() > 20);
            a.deleteTopics(List.of(topic)).all().get();
            long deadline = System.nanoTime() + 10_000_000_000L;
            while (a.listTopics().names().get().contains(topic) && System.nanoTime() < deadline) {
                Thread.sleep(100);
            }
            fails(UnknownTopicOrPartitionException.class, () -> a.deleteTopics(List.of(topic)).all().get());
        }
    }

    static void cluster() throws Exception {
        try (Admin a = admin()) {
            same(false, a.describeCluster().nodes().get().isEmpty());
            same(true, a.describeCluster().controller().get().id() >= 0);
            same(false, a.describeCluster().clusterId().get().isEmpty());
            ConfigResource r = new ConfigResource(ConfigResource.Type.BROKER,
                a.describeCluster().nodes().get().iterator().next().idString());
            same(true, a.describeConfigs(List.of(r)).all().get().get(r).get("log.segment.bytes") != null);
        }
    }

    static void offsets() throws Exception {
        String topic = create("offsets", 1, Map.of());
        TopicPartition tp = new TopicPartition(topic, 0);
        try (KafkaProducer<byte[], byte[]> p = producer()) {
            for (int i = 0; i < 100; i++) {
                // The largest timestamp is not the last one.
                long at = 1700000000000L + 1000L * (i == 70 ? 5000 : i);
                p.send(new ProducerRecord<>(topic, 0, at, null, bytes("" + i)));
            }
        }
        try (Admin a = admin()) {
            Map<String, OffsetSpec> specs = new HashMap<>();
            specs.put("0", OffsetSpec.earliest());
            specs.put("100", OffsetSpec.latest());
            specs.put("70", OffsetSpec.maxTimestamp());
            specs.put("42", OffsetSpec.forTimestamp(1700000041500L));
            specs.put("-1", OffsetSpec.forTimestamp(1800000000000L));
            for (Map.Entry<String, OffsetSpec> e : specs.entrySet()) {
                same(Long.parseLong(e.getKey()), a.listOffsets(Map.of(tp, e.getValue())).all().get().get(tp).offset());
            }
            same(60L, a.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(60))).lowWatermarks().get(tp).get().lowWatermark());
            same(60L, a.listOffsets(Map.of(tp, OffsetSpec.earliest())).all().get().get(tp).offset());
        }
        same(40, read(topic, 0, 60).size());
        try {
            read(topic, 0, 10);
            throw new AssertionError("read below the log start");
        } catch (OffsetOutOfRangeException e) {
            same(Set.of(tp), e.partitions());
        }
    }

    static void records() throws Exception {
        String topic = create("records", 1, Map.of());
        try (KafkaProducer<byte[], byte[]> p = producer()) {
            p.send(new ProducerRecord<>(topic, 0, null, bytes("k"), bytes("v"),
                List.of(new RecordHeader("a", bytes("1")), new RecordHeader("b", (byte[]) null), new RecordHeader("a", bytes("2")))));
            p.send(new ProducerRecord<>(topic, 0, null, null, bytes("")));
            p.send(new ProducerRecord<>(topic, 0, bytes(""), (byte[]) null));
        }
        List<ConsumerRecord<byte[], byte[]>> got = read(topic, 0, 0);
        StringBuilder s = new StringBuilder();
        got.get(0).headers().forEach(h -> s.append(h.key()).append('=').append(text(h.value())).append(' '));
        same("a=1 b=null a=2 ", s.toString());
        same(null, got.get(1).key());
        same("", text(got.get(1).value()));
        same("", text(got.get(2).key()));
        same(null, got.get(2).value());
    }

    static void limits() throws Exception {
        String topic = create("limits", 1, Map.of());
        byte[] big = new byte[1_000_000];
        new Random(1).nextBytes(big);
        try (KafkaProducer<byte[], byte[]> p = producer("max.request.size", "3000000")) {
            p.send(new ProducerRecord<>(topic, 0, null, big)).get();
            fails(RecordTooLargeException.class, () -> p.send(new ProducerRecord<>(topic, 0, null, new byte[1_500_000])).get());
        }
        List<ConsumerRecord<byte[], byte[]>> got = read(topic, 0, 0, "max.partition.fetch.bytes", "1000", "fetch.max.bytes", "1000");
        same(1, got.size());
        same(true, java.util.Arrays.equals(big, got.get(0).value()));
    }

    /** Sessions (KIP-227): a consumer of several topics sees what arrives in any of them. */
    static void sessions() throws Exception {
        List<TopicPartition> all = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            String topic = create("session" + t, 4, Map.of());
            for (int p = 0; p < 4; p++) {
                all.add(new TopicPartition(topic, p));
            }
        }
        try (KafkaConsumer<byte[], byte[]> c = consumer(); KafkaProducer<byte[], byte[]> p = producer()) {
            c.assign(all);
            c.seekToBeginning(all);
            for (int round = 0; round < 20; round++) {
                TopicPartition tp = all.get(round * 5 % all.size());
                p.send(new ProducerRecord<>(tp.topic(), tp.partition(), null, bytes("" + round))).get();
                Collection<String> seen = new ArrayList<>();
                long deadline = System.nanoTime() + 10_000_000_000L;
                while (seen.isEmpty() && System.nanoTime() < deadline) {
                    c.poll(Duration.ofMillis(500)).forEach(r -> seen.add(text(r.value())));
                }
                same(List.of("" + round), seen);
            }
        }
    }

    static void readCommitted() throws Exception {
        String topic = create("isolation", 1, Map.of());
        try (KafkaProducer<byte[], byte[]> p = producer()) {
            for (int i = 0; i < 10; i++) {
                p.send(new ProducerRecord<>(topic, 0, null, bytes("" + i)));
            }
        }
        same(10, read(topic, 0, 0, "isolation.level", "read_committed").size());
    }

    static void acks() throws Exception {
        String topic = create("acks", 1, Map.of());
        for (String acks : new String[] {"0", "1", "all"}) {
            try (KafkaProducer<byte[], byte[]> p = producer("acks", acks, "enable.idempotence", "false")) {
                for (int i = 0; i < 100; i++) {
                    p.send(new ProducerRecord<>(topic, 0, null, bytes("" + i)));
                }
            }
        }
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (read(topic, 0, 0).size() < 300 && System.nanoTime() < deadline) {
            Thread.sleep(100);
        }
        same(300, read(topic, 0, 0).size());
    }

    public static void main(String[] args) {
        broker = args[0];
        prefix = "it-java-" + System.currentTimeMillis();
        System.out.println("# kafka-clients " + org.apache.kafka.common.utils.AppInfoParser.getVersion());
        test("describe the cluster and the broker's configuration", Suite::cluster);
        test("create, describe, extend and delete topics", Suite::topics);
        for (String c : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            test(c + ": " + COUNT + " records there and back", () -> codec(c, false));
        }
        test("zstd, idempotent", () -> codec("zstd", true));
        test("headers, null and empty keys and values", Suite::records);
        test("ListOffsets of every kind, DeleteRecords, out of range", Suite::offsets);
        test("a record of 1,000,000 bytes, and one that is too large", Suite::limits);
        test("fetch sessions over 12 partitions", Suite::sessions);
        test("read_committed without transactions", Suite::readCommitted);
        test("acks=0, 1 and all", Suite::acks);
        System.out.println("1.." + number);
        System.exit(failed == 0 ? 0 : 1);
    }
}
