"""Networks of transformers for zoo.py: small configurations with random weights."""
import torch

WIDTH = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128)
TOKENS, WORDS = 10, 99
TEXT = dict(WIDTH, vocab_size=WORDS)


def text(batch, masked=True):
    ids = {"input_ids": torch.randint(3, WORDS, (batch, TOKENS))}
    if masked:
        mask = torch.ones(batch, TOKENS, dtype=torch.long)
        mask[0, -3:] = 0
        ids["attention_mask"] = mask
    return ids


def image(batch, size=32):
    return {"pixel_values": torch.randn(batch, 3, size, size)}


def pairs(batch):
    return {**text(batch), "decoder_input_ids": torch.randint(3, WORDS, (batch, TOKENS))}


def sound(batch):
    return {"input_features": torch.randn(batch, 80, 64),
            "decoder_input_ids": torch.randint(3, WORDS, (batch, TOKENS))}


def plain(batch):
    return text(batch, masked=False)


LLAMA = dict(TEXT, num_key_value_heads=2, pad_token_id=0, use_cache=False)
GPT = dict(n_embd=64, n_layer=2, n_head=4, vocab_size=WORDS, use_cache=False)
# Name: class of the network, class of its configuration, its values, its inputs.
CONFIGS = {
    "bert": ("BertForSequenceClassification", "BertConfig", TEXT, text),
    "bert_nomask": ("BertForSequenceClassification", "BertConfig", TEXT, plain),
    "bert_mlm": ("BertForMaskedLM", "BertConfig", TEXT, text),
    "bert_eager": ("BertForSequenceClassification", "BertConfig",
                   dict(TEXT, attn_implementation="eager"), text),
    "distilbert": ("DistilBertForSequenceClassification", "DistilBertConfig",
                   dict(dim=64, n_layers=2, n_heads=4, hidden_dim=128, vocab_size=WORDS), text),
    "roberta": ("RobertaForSequenceClassification", "RobertaConfig", TEXT, text),
    "deberta": ("DebertaForSequenceClassification", "DebertaConfig", TEXT, text),
    "deberta_v2": ("DebertaV2ForSequenceClassification", "DebertaV2Config", TEXT, text),
    "albert": ("AlbertForSequenceClassification", "AlbertConfig", dict(TEXT, embedding_size=32), text),
    "electra": ("ElectraForSequenceClassification", "ElectraConfig", dict(TEXT, embedding_size=32),
                text),
    "mobilebert": ("MobileBertForSequenceClassification", "MobileBertConfig",
                   dict(num_hidden_layers=2, vocab_size=WORDS), text),
    "modernbert": ("ModernBertForSequenceClassification", "ModernBertConfig",
                   dict(TEXT, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1,
                        sep_token_id=2), text),
    "mpnet": ("MPNetForSequenceClassification", "MPNetConfig", TEXT, text),
    "gpt2": ("GPT2LMHeadModel", "GPT2Config", GPT, text),
    "gpt2_nomask": ("GPT2LMHeadModel", "GPT2Config", GPT, plain),
    "gpt_neox": ("GPTNeoXForCausalLM", "GPTNeoXConfig", dict(TEXT, use_cache=False), text),
    "opt": ("OPTForCausalLM", "OPTConfig",
            dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, ffn_dim=128,
                 vocab_size=WORDS, word_embed_proj_dim=64, use_cache=False), text),
    "llama": ("LlamaForCausalLM", "LlamaConfig", LLAMA, text),
    "llama_nomask": ("LlamaForCausalLM", "LlamaConfig", LLAMA, plain),
    "llama_tied": ("LlamaForCausalLM", "LlamaConfig", dict(LLAMA, tie_word_embeddings=True), plain),
    "mistral": ("MistralForCausalLM", "MistralConfig", LLAMA, plain),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", LLAMA, text),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", dict(LLAMA, head_dim=16), text),
    "gemma2": ("Gemma2ForCausalLM", "Gemma2Config", dict(LLAMA, head_dim=16), text),
    "phi3": ("Phi3ForCausalLM", "Phi3Config", LLAMA, text),
    "mixtral": ("MixtralForCausalLM", "MixtralConfig", dict(LLAMA, num_local_experts=2), text),
    "t5": ("T5ForConditionalGeneration", "T5Config",
           dict(d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4, vocab_size=WORDS,
                use_cache=False, decoder_start_token_id=0), pairs),
    "bart": ("BartForConditionalGeneration", "BartConfig",
             dict(d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
                  decoder_attention_heads=4, encoder_ffn_dim=128, decoder_ffn_dim=128,
                  vocab_size=WORDS, use_cache=False), pairs),
    "mamba": ("MambaForCausalLM", "MambaConfig",
              dict(hidden_size=32, num_hidden_layers=2, vocab_size=WORDS, use_cache=False), plain),
    "vit": ("ViTForImageClassification", "ViTConfig", dict(WIDTH, image_size=32, patch_size=8), image),
    "deit": ("DeiTForImageClassification", "DeiTConfig", dict(WIDTH, image_size=32, patch_size=8),
             image),
    "dinov2": ("Dinov2ForImageClassification", "Dinov2Config",
               dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=32,
                    patch_size=8), image),
    "swin": ("SwinForImageClassification", "SwinConfig",
             dict(image_size=32, patch_size=2, embed_dim=16, depths=[2, 2], num_heads=[2, 4],
                  window_size=4), image),
    "convnext": ("ConvNextForImageClassification", "ConvNextConfig",
                 dict(hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 2, 1]), image),
    "resnet": ("ResNetForImageClassification", "ResNetConfig",
               dict(embedding_size=8, hidden_sizes=[16, 32], depths=[1, 1], layer_type="basic"), image),
    "segformer": ("SegformerForImageClassification", "SegformerConfig",
                  dict(hidden_sizes=[16, 32, 40, 48], depths=[1, 1, 1, 1]), image),
    "segformer_seg": ("SegformerForSemanticSegmentation", "SegformerConfig",
                      dict(hidden_sizes=[16, 32, 40, 48], depths=[1, 1, 1, 1],
                           decoder_hidden_size=32), lambda batch: image(batch, 64)),
    "clip_vision": ("CLIPVisionModel", "CLIPVisionConfig", dict(WIDTH, image_size=32, patch_size=8),
                    image),
    "whisper_tiny": ("WhisperForConditionalGeneration", "WhisperConfig",
                     dict(d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
                          decoder_attention_heads=4, encoder_ffn_dim=128, decoder_ffn_dim=128,
                          vocab_size=WORDS, max_source_positions=32, use_cache=False,
                          pad_token_id=0, bos_token_id=1, eos_token_id=2,
                          decoder_start_token_id=1), sound),
}
NAMES = list(CONFIGS)


def make(name):
    import transformers
    model_class, config_class, values, inputs = CONFIGS[name]
    config = getattr(transformers, config_class)(**values)
    return getattr(transformers, model_class)(config), inputs(2), inputs(3)
